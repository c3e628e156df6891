"""What a deployment is refused for; the command prints it and ends with a status that is not 0."""

from __future__ import annotations

from collections.abc import Sequence


class DeployError(Exception):
    """Something a user can put right, or AWS's own refusal, in a text that says what to do."""


class NotReadyError(DeployError):
    """Nothing was changed, since these things are not as they have to be.

    Parameters
    ----------
    problems
        One text each: what came, what was expected, the remedy.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"nothing was changed:\n{listed}")
