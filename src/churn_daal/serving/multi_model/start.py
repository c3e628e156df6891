"""Starts a multi-model server: what all workers share, and what each has."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from flask import Flask

from churn_daal.errors import UserError
from churn_daal.machine import usable_cores
from churn_daal.serving.counters import Tally
from churn_daal.serving.loading import forget, load_service
from churn_daal.serving.multi_model import registry
from churn_daal.serving.multi_model.held import Held, Loaded
from churn_daal.serving.multi_model.models import Models
from churn_daal.serving.multi_model.orders import SILENCE_SECONDS, Listener
from churn_daal.serving.multi_model.provisions import Provisions
from churn_daal.serving.multi_model.registry import Record
from churn_daal.serving.multi_model.room import Room
from churn_daal.serving.multi_model.routes import create_app
from churn_daal.settings import ServeSettings

# What a path of a socket may have (sun_path of Linux), less the name of one.
_LONGEST: Final = 107 - len("/4194304-12345678.worker")


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """Make the folder that the workers share, for as long as the server runs.

    Raises
    ------
    UserError
        There is no folder for temporary files, or its path is too long for a socket.
    """
    try:
        # Of mode 0700: nobody else gives orders.
        folder = Path(tempfile.mkdtemp(prefix="churn-daal-"))
    except OSError as error:
        raise UserError(
            f"a multi-model server needs a folder for temporary files: {error}; mount one at /tmp, "
            "or name one in TMPDIR"
        ) from error
    owner = os.getpid()
    try:
        if len(os.fsencode(folder)) > _LONGEST:
            raise UserError(
                f"the folder {folder} has too long a path for sockets, of which {_LONGEST} bytes "
                "are allowed; set TMPDIR to a shorter one"
            )
        registry.create(folder)
        yield folder
    finally:
        # A worker that ends comes by here as well, with the memory of its parent.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def build_app(settings: ServeSettings, tally: Tally | None = None, *, folder: Path) -> Flask:
    """Build a worker's app, after the fork.

    Parameters
    ----------
    settings
        The settings.
    tally
        Where requests are counted.
    folder
        What `runtime_folder` made.
    """
    models, held, _ = join(settings, folder, Room.of_this_container())
    # What is there now stays: an unload need not look at it when it collects.
    gc.collect()
    gc.freeze()
    return create_app(models, held, settings, tally)


def join(
    settings: ServeSettings, folder: Path, room: Room, *, silence: float = SILENCE_SECONDS
) -> tuple[Models, Held, Listener]:
    """Make this process a worker among those of a folder.

    Parameters
    ----------
    settings, folder
        As for `build_app`.
    room
        The memory there is.
    silence
        Seconds after which a worker that does not say a word is ended.
    """
    loaded = registry.Registry(folder)
    provisions = Provisions(folder, settings)
    # This worker may take the place of one that was killed.
    provisions.sweep(loaded)

    def load(record: Record) -> Loaded:
        provision = provisions.of(record)
        service = load_service(
            Path(record.url),
            threads=usable_cores(),
            workers=settings.workers,
            outputs=settings.inference_output,
            provision=provision,
        )
        # Without the converted model, which the service has no more use for.
        return Loaded(service, partial(forget, replace(provision, model=None)))

    held = Held(loaded, load)
    listener = Listener(folder, held)
    models = Models(
        *(loaded, folder, listener.path, room, provisions, settings.inference_output, silence)
    )
    return models, held, listener
