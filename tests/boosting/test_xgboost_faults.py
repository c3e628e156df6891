"""XGBoost's messages, shortened to their reason and sorted by whose fault they are."""

from __future__ import annotations

import logging
import warnings

import pytest
import xgboost

from churn_daal.boosting.xgboost_faults import reason, translated
from churn_daal.errors import AlgorithmError, UserError


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "[16:02:17] /workspace/src/a.cc:85: label must be in [0, 1]\nStack trace:\n  [bt] x",
            "label must be in [0, 1]",
        ),
        (
            "[16:02:17] /w/src/b.h:9: Check failed: a.Size() == b (60 vs. 180) : Invalid shape.\n",
            "Invalid shape.",
        ),
        ("[16:02:17] /w/src/b.h:9: Check failed: x <= 1 (15 vs. 1) : ", "check failed: x <= 1 (15"),
        ("value -1 for Parameter eta should be\neta: rate", "value -1 for Parameter eta should be"),
        ("", ""),
    ],
)
def test_the_reason_is_one_line(message: str, expected: str) -> None:
    """Clock, source file, condition and stack trace are left out."""
    assert reason(message).startswith(expected)
    assert "\n" not in reason(message)


def test_a_refused_parameter_is_the_users() -> None:
    """A real refusal by the library becomes a UserError."""
    with pytest.raises(UserError, match="XGBoost: value -1 for Parameter max_depth"), translated():
        xgboost.train({"max_depth": -1}, xgboost.DMatrix([[1.0]], label=[1.0]), 1)


def test_a_broken_model_is_not_the_users() -> None:
    """A failure that says nothing of labels, cells or parameters stays this program's."""
    with pytest.raises(AlgorithmError, match="XGBoost: "), translated():
        xgboost.Booster(model_file=bytearray(b"{not a model}"))


def test_other_errors_pass_through() -> None:
    """What XGBoost did not raise is not renamed."""
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError


def test_a_warning_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A warning of every round makes one line, and the filters are as before."""
    before = warnings.filters[:]
    with caplog.at_level(logging.WARNING), translated():
        for second in range(3):
            warnings.warn(f"[16:02:1{second}] WARNING: /w/src/m.cc:3: Odd.", stacklevel=1)

    assert [record.getMessage() for record in caplog.records] == ["XGBoost: Odd."]
    assert warnings.filters == before
