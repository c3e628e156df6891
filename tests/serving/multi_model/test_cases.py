"""The contract's cases against several worker processes, without a container."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ...container.multi_model_cases import CASES, Endpoint, case_name
from .drive import Running


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_case(server: Running, case: Callable[[Endpoint], None]) -> None:
    """Each is a claim in multi_model_cases.py."""
    case(server.endpoint)


def test_the_cases_leave_nothing_loaded(server: Running) -> None:
    """They run on one server, in any order."""
    assert server.endpoint.listed() == {}
