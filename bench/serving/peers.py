"""The servers that are measured: what each reads, and where its packages lie."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.serving.environments import environment
from bench.serving.place import Place, Start
from bench.serving.starts import (
    aws,
    aws_behind_nginx,
    bare,
    flask,
    mlserver,
    mms,
    nginx,
    serve,
    serve_on_granian,
)


@dataclass(frozen=True)
class Peer:
    """A server.

    Attributes
    ----------
    about
        One line.
    speaks
        How it wants a workload's format written and its answer read; what is missing it cannot do.
    start
        Lays its files and returns its command.
    pins
        Its environment (`bench/peers/NAME.txt`); None for the product's own.
    shows
        Packages whose versions belong to a figure.
    route
        Where rows are posted.
    raw
        Whether it takes records with text.
    constant
        Whether it answers the same whatever is asked.
    """

    about: str
    speaks: Mapping[str, str]
    start: Callable[[Place], Start]
    pins: str | None = None
    shows: tuple[str, ...] = ()
    route: str = "/invocations"
    raw: bool = False
    constant: bool = False

    def python(self) -> Path:
        """Return its Python, with its packages installed."""
        return environment(self.pins) if self.pins else Path(sys.executable)


_ALL: Final = {"csv": "csv", "json": "json", "npy": "npy"}
_ARRAYS: Final = {"csv": "csv", "npy": "npy"}


def ours(about: str, **environ: str) -> Peer:
    """Return this project's `serve`, with settings of its own if any."""

    def start(place: Place) -> Start:
        usual = serve(place)
        return Start(usual.command, usual.environ | environ)

    shows = ("scikit-learn-intelex", "gunicorn", "flask")
    return Peer(about, _ALL, start, shows=shows, raw=True)


PEERS: Final[dict[str, Peer]] = (
    {
        # A server choice of ours is a line: a name and the settings that make it.
        "ours": ours("this project's serve as it ships"),
        "ours-threads": ours("serve with gunicorn's threads", CHURN_DAAL_SERVER="threads"),
        "ours-granian": Peer(
            "this project's app on Granian (WSGI), which it does not ship",
            _ALL,
            serve_on_granian,
            pins="engines",
            shows=("granian",),
            raw=True,
        ),
        "aws": Peer(
            "a restatement of AWS's XGBoost container: gunicorn gevent, Flask, XGBoost",
            {"csv": "csv"},
            aws,
            pins="aws",
            shows=("flask", "gunicorn", "gevent", "xgboost-cpu", "numpy"),
        ),
        "aws-nginx": Peer(
            "the same behind nginx, as that container has it",
            {"csv": "csv"},
            aws_behind_nginx,
            pins="aws",
            shows=("gunicorn", "gevent", "xgboost-cpu"),
        ),
        "flask": Peer(
            "a plain app: gunicorn gthread, Flask, XGBoost",
            _ALL,
            flask,
            shows=("flask", "gunicorn", "xgboost-cpu"),
            raw=True,
        ),
        "mlserver": Peer(
            "MLServer with its XGBoost runtime",
            {"json": "inference protocol"},
            mlserver,
            pins="mlserver",
            shows=("mlserver", "mlserver-xgboost", "xgboost"),
            route="/v2/models/model/infer",
        ),
        "mms": Peer(
            "AWS's multi-model-server (Java) with the handler of sagemaker-inference, XGBoost",
            _ARRAYS,
            mms,
            pins="mms",
            shows=("multi-model-server", "sagemaker-inference", "xgboost-cpu"),
        ),
    }
    | {
        f"{engine}-{server}": Peer(
            f"{title} behind a bare WSGI callable on {server.title()}",
            _ARRAYS,
            bare(engine, server),
            pins="engines",
            shows=(*packages, server),
        )
        for engine, title, packages in (
            ("xgboost", "XGBoost", ("xgboost-cpu",)),
            ("onnx", "ONNX Runtime", ("onnxruntime", "onnxmltools")),
            ("treelite", "treelite", ("treelite",)),
        )
        for server in ("gunicorn", "granian")
    }
    | {
        "nginx": Peer(
            "nginx with a constant answer, the limit", _ALL, nginx, raw=True, constant=True
        )
    }
)
