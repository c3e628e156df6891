"""Print what a request costs around the model: microseconds of one thread, without sockets.

Usage: python bench/request_path.py [--rounds 15]

The bytes of a request go through `serve`'s own connection, whose transport takes the answer and
does nothing with it. Each line has one part more than the line above, up to a whole request for one
row; the lines below it are a request's share where several came at the same moment. Times and
models are those of bench/stages.py.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from stages import body_of, churn_table, measured, train

from churn_daal import artifact
from churn_daal.serving.access import TRACE, Watched
from churn_daal.serving.app import QUICK, create_app
from churn_daal.serving.counters import Counters
from churn_daal.serving.drift import Ranges
from churn_daal.serving.http.connection import Connection
from churn_daal.serving.http.loop import Loop, Quick
from churn_daal.serving.http.reply import Reply, ask
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.lane import Lane, ModelRoutes
from churn_daal.serving.lines import Lines
from churn_daal.serving.request import Answer, Request
from churn_daal.serving.trace import Trace
from churn_daal.settings import ServeSettings

SETTINGS = ServeSettings(Path("unused"))
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Nowhere(asyncio.Transport):
    """Takes answers."""

    def write(self, data: bytes) -> None:
        """Check that it is one."""
        assert data.startswith(b"HTTP/1.1 200"), data  # noqa: S101 - a measurement of refusals is none

    def is_closing(self) -> bool:
        """Never."""
        return False


class OneByOne:
    """Asks a WSGI app."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def is_quick(self, _environ: dict[str, Any], _size: int) -> bool:
        """Tell that all is."""
        return True

    def answers(self, environs: Sequence[dict[str, Any]]) -> list[Reply]:
        """Ask."""
        return [ask(self._app, environ) for environ in environs]


class Constant:
    """A service that does nothing."""

    quick, manifest = True, None

    def together(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer nothing."""
        return [None] * len(requests)

    def answer(self, _request: Request) -> Answer:
        """Answer."""
        return Answer(200, b"0.5\n", "text/csv; charset=utf-8")

    def ready(self) -> bool:
        """Answer."""
        return True


def constant(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as WSGI's least app does."""
    start("200 OK", [("Content-Type", "text/csv"), ("Content-Length", "4")])
    return [b"0.5\n"]


def quicks(model: artifact.Model) -> dict[str, Quick]:
    """Return what answers, of which each has a part more than the one before."""
    lane = Lane(constant, ModelRoutes(Constant(), SETTINGS), SETTINGS)

    def traced(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ[TRACE] = Trace()
        return lane(environ, start)

    def watched(level: int) -> Watched:
        return Watched(lane, Counters(1).tally(0), level=level, write=Lines(lambda _: None).add)

    app = create_app(ModelService(model), SETTINGS)
    whole = app.wsgi_app
    assert isinstance(whole, Watched)  # noqa: S101 - see `new_app`
    whole.write = Lines(lambda _: None).add
    parts = {
        "HTTP": constant,
        "and the lane": traced,
        "and counters, ids, headers": watched(level=100),
        "and the access line": watched(level=0),
    }
    return {name: OneByOne(part) for name, part in parts.items()} | {WHOLE: app.extensions[QUICK]}


WHOLE = "and the model: a whole request"
TOGETHER = (2, 4, 8, 16)


def connections(model: artifact.Model, body: bytes) -> dict[str, Callable[[], object]]:
    """Return what sends a request through each app."""
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    request = head.encode() + b"Content-Type: text/csv\r\n\r\n" + body

    def sending(quick: Quick, clients: int = 1) -> Callable[[], object]:
        loop = Loop(constant, quick, limit=1 << 20, threads=1)
        base = {"SCRIPT_NAME": "", "SERVER_PORT": "8080"}
        several = [Connection(loop, base) for _ in range(clients)]
        for connection in several:
            connection.connection_made(Nowhere())

        def send() -> None:
            for connection in several:
                connection.data_received(request)
            loop.answer()

        return send

    answering = quicks(model)
    whole = {f"{clients} at once": sending(answering[WHOLE], clients) for clients in TOGETHER}
    return {name: sending(quick) for name, quick in answering.items()} | whole


async def measure(model: artifact.Model, body: bytes, rounds: int) -> None:
    """Print the table."""
    stages = connections(model, body)
    ranges = Ranges.of(model.manifest)
    if ranges is not None:
        X = model.encoder.from_plain_text(bytes(body))
        assert X is not None  # noqa: S101 - the body is plain
        stages["ranges alone"] = lambda: ranges.count(X, {})
    print("| part | median us | least us |\n|---|---|---|")
    for name, taken in measured(stages, rounds).items():
        each = int(name.split()[0]) if name.endswith("at once") else 1
        print(f"| {name} | {median(taken) / each:,.1f} | {min(taken) / each:,.1f} |")


def main() -> None:
    """Train, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = churn_table(numbers=False)
        train(Path(folder), table, {"num_round": "200", "max_depth": "5"})
        model = artifact.load(Path(folder) / "model", threads=1)
        asyncio.run(measure(model, body_of(table, "text/csv", 1), given.rounds))


if __name__ == "__main__":
    sys.exit(main())
