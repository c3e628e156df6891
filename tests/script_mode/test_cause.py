"""The cause of a script's end is found in what it wrote."""

from __future__ import annotations

import pytest

from churn_daal.script_mode.cause import cause_of

TRACEBACK = """\
loading
Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 8, in <module>
    fit()
  File "/opt/ml/code/model.py", line 3, in fit
    booster.update()
  File "/opt/venv/lib/python3.13/site-packages/xgboost/core.py", line 99, in update
    raise XGBoostError(text)
xgboost.core.XGBoostError: [12:00:00] Check failed:
label must be in [0,1]
"""
END = ": [12:00:00] Check failed: (/opt/ml/code/model.py, line 3)\nlabel must be in [0,1]"
CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'x'

During handling of the above exception, another exception occurred:

"""


@pytest.mark.parametrize(
    ("errors", "cause"),
    [
        (
            TRACEBACK,
            f"xgboost.core.XGBoostError{END}",
        ),
        (
            CHAINED + TRACEBACK.replace("xgboost.core.XGBoostError", "SystemError"),
            f"SystemError{END}",
        ),
        (
            '  File "train.py", line 2\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n',
            'File "train.py", line 2 | x = = 1 | ^ | SyntaxError: invalid syntax',
        ),
        ("one\n\ntwo\n", "one | two"),
        ("\n".join("abcdefgh"), "d | e | f | g | h"),
        ("", "it wrote nothing to stderr; its log may say more"),
        (TRACEBACK[: TRACEBACK.index("xgboost.core.X")], "its traceback is cut off; its log may"),
    ],
    ids=["traceback", "chained", "syntax", "lines", "many lines", "nothing", "cut off"],
)
def test_cause(errors: str, cause: str) -> None:
    """The last exception and the user's own line, else the last lines."""
    assert cause_of(errors).startswith(cause)
