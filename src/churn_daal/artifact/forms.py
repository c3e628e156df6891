"""What a file that may hold a booster is, told from its first bytes; nothing of it is run.

Continued training and serving both take models from elsewhere, and refuse the same forms.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

# Enough to see XGBoost's first key, whatever white space stands before it.
START_BYTES: Final = 256
# The first key of both forms: `{"learner":` in JSON, `{L`, its length and itself in UBJ.
_UBJ: Final = re.compile(rb"\{L\x00{7}\x07learner|\{[iUlI]\x07learner", re.DOTALL)
_JSON: Final = re.compile(rb"\s*\{\s*\"(learner|version)\"")
_PICKLES: Final = (".pkl", ".pickle", ".joblib")
_CONVERSION: Final = (
    "python -c \"import pickle; m = pickle.load(open('{name}', 'rb')); "
    "getattr(m, 'get_booster', lambda: m)().save_model('model.ubj')\""
)
_OLD_CONVERSION: Final = (
    "python -c \"import xgboost; xgboost.Booster(model_file='{name}').save_model('model.ubj')\""
)


def is_booster(start: bytes) -> bool:
    """Tell whether a file's first bytes are those of XGBoost's UBJ or JSON."""
    return bool(_UBJ.match(start) or _JSON.match(start))


def is_pickle(name: str, start: bytes) -> bool:
    """Tell whether a file is a pickle, by its name or its first bytes."""
    return (
        name.endswith(_PICKLES) or start[:1] == b"\x80" or start[:2] in {b"cc", b"(c", b"(i", b"cx"}
    )


def fault_of(path: Path, start: bytes) -> str | None:
    """Return why a file's form is not read, with the remedy; None where nothing speaks against it.

    Parameters
    ----------
    path
        For the message and the command that converts it.
    start
        Its first bytes.
    """
    if is_pickle(path.name, start):
        return (
            f"{path}: the model is a pickle, which can run any code when it is loaded, and is not "
            f"read. Convert it where it was made: {_CONVERSION.format(name=path.name)}, and use "
            "model.ubj in its place."
        )
    if start[:4] == b"binf":
        return (
            f"{path}: the model is neither UBJ nor JSON but XGBoost's old binary form (it starts "
            f"with {start[:4]!r}); XGBoost 3.1 and later do not read its old binary form. Convert "
            f"it with the XGBoost that saved it: {_OLD_CONVERSION.format(name=path.name)}, and use "
            "model.ubj in its place."
        )
    if start.lstrip()[:1] != b"{":
        return (
            f"{path}: the model is neither UBJ nor JSON (it starts with {start[:4]!r}). Save it "
            "with booster.save_model('model.ubj')."
        )
    return None
