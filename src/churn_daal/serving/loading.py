"""From a model folder to what answers for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from churn_daal import artifact
from churn_daal.errors import ArtifactError
from churn_daal.serving.hooks import modules
from churn_daal.serving.hooks.packages import install_packages
from churn_daal.serving.hooks.program import Program, find_program
from churn_daal.serving.hooks.service import HookService
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.request import Service
from churn_daal.settings import ServeSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Provision:
    """What is made ready once, for every worker that loads a model.

    Attributes
    ----------
    model
        Converted where it has to be; None where the user's `model_fn` loads it.
    program
        The user's inference code; None without.
    packages
        The folder of the packages that were installed for it, to be removed at the end; None
        where there were none to install.
    ensemble
        Whether several boosters from elsewhere answer together.
    """

    model: artifact.Prepared | None
    program: Program | None = None
    packages: Path | None = None
    ensemble: bool = True


def provide(
    model_dir: Path,
    *,
    ensemble: bool = True,
    program: str = "",
    submit_directory: str = "",
    place: Path | None = None,
) -> Provision:
    """Make a model folder ready to be loaded, without computing in this process.

    The user's code is found and its packages are installed; it is not run.

    Parameters
    ----------
    model_dir
        An untarred model, read only.
    ensemble, program, submit_directory
        As in `ServeSettings`.
    place
        Where the folder of packages is made; the folder for temporary files by default.

    Raises
    ------
    ArtifactError
        The model folder is damaged, or has no model.
    UserError
        The model's objective is unknown to this release, or the code or a package of it is not
        there.
    """
    code = find_program(model_dir, program=program, submit_directory=submit_directory)
    if code is None:
        return Provision(artifact.prepare_apart(model_dir, ensemble=ensemble), ensemble=ensemble)
    log.info("inference code of the model's own: %s", code.path)
    prepared = None if code.loads_model else artifact.prepare_apart(model_dir, ensemble=ensemble)
    packages = install_packages(code.folder, place)
    if packages is not None:
        code = replace(code, search=(*code.search, packages))
    return Provision(prepared, code, packages, ensemble)


def provide_by(settings: ServeSettings, model_dir: Path, place: Path | None = None) -> Provision:
    """Make a model folder ready as the settings say; see `provide`."""
    return provide(
        model_dir,
        ensemble=settings.ensemble,
        program=settings.program,
        submit_directory=settings.submit_directory,
        place=place,
    )


def load_service(
    model_dir: Path,
    *,
    threads: int,
    workers: int = 1,
    outputs: tuple[str, ...] = (),
    provision: Provision | None = None,
) -> Service:
    """Load a model, and make sure that it answers; `forget` is due once it is dropped again.

    Parameters
    ----------
    model_dir
        An untarred model, read only.
    threads, workers
        Threads one prediction may use, and processes that predict beside each other; see
        `artifact.load`.
    outputs
        Names of what is answered where a request names nothing; empty for the usual answer.
    provision
        What `provide` made of the folder; by default that is done here.

    Raises
    ------
    ArtifactError
        The model folder is damaged.
    UserError
        The model's objective is unknown to this release, or the user's code fails.
    """
    ready = provide(model_dir) if provision is None else provision

    def load_model() -> artifact.Model:
        return artifact.load(
            model_dir,
            threads=threads,
            workers=workers,
            ensemble=ready.ensemble,
            prepared=ready.model,
        )

    try:
        return _checked(_built(model_dir, ready, load_model, outputs))
    except BaseException:
        forget(ready)
        raise


def forget(provision: Provision) -> None:
    """Take the modules of a model's code out of this process, once its service is dropped."""
    if provision.program is not None:
        modules.leave(provision.program)


def _built(
    model_dir: Path,
    ready: Provision,
    load_model: Callable[[], artifact.Model],
    outputs: tuple[str, ...],
) -> HookService | ModelService:
    if ready.program is not None:
        return HookService(ready.program, model_dir, load_model, outputs)
    return ModelService(load_model(), outputs)


def _checked(service: Service) -> Service:
    if not service.ready():
        raise ArtifactError("the model does not answer a row of missing values; train it again")
    return service
