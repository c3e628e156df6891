"""XGBoost's messages of a thread other than the one that imported it.

XGBoost keeps its messages' way out by thread, and its Python package registers one for the
importing thread alone: without another, those of a training thread go to stderr as they are.
"""

from __future__ import annotations

import ctypes
import logging
import warnings

from xgboost.libpath import find_lib_path

log = logging.getLogger(__name__)


def register() -> None:
    """Let this thread's warnings be Python warnings, as XGBoost has it; the rest is logged."""
    library = ctypes.CDLL(find_lib_path()[0])  # the one that is loaded already
    library.XGBRegisterLogCallback(_CALLBACK)


def _tell(message: bytes) -> None:
    text = message.decode(errors="replace")
    if "WARNING:" in text:
        warnings.warn(text, UserWarning, stacklevel=1)
    else:
        log.info("XGBoost: %s", text.strip())


# The library calls it for as long as the thread lives.
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(_tell)
