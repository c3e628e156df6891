"""Which releases of the engines are at work, for the manifest and the logs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from churn_daal.engine.extension import run_version

# One module, two packages: xgboost-cpu is the same without the CUDA libraries.
XGBOOST_PACKAGES = ("xgboost-cpu", "xgboost")


def engine_versions() -> dict[str, str]:
    """Return the versions of `onedal` (run time), `scikit-learn-intelex` and `xgboost`.

    Nothing heavy is imported: package metadata tells what is not loaded.

    Raises
    ------
    ImportError
        daal4py is not installed.
    """
    return {
        "onedal": run_version(),
        "scikit-learn-intelex": package_version("scikit-learn-intelex"),
        "xgboost": package_version(*XGBOOST_PACKAGES),
    }


def package_version(*packages: str) -> str:
    """Return the version of the first of these packages that is installed."""
    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return "not installed"
