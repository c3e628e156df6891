"""What one row of the hyperparameter table says, and its range in words."""

from __future__ import annotations

from dataclasses import dataclass

Default = int | float | str | bool | None

INT32_MAX = 2**31 - 1
XGBOOST, TOOLKIT, LEGACY = "xgboost", "toolkit", "legacy"


@dataclass(frozen=True)
class Hyperparameter:
    """One row of the table.

    Attributes
    ----------
    name
        The name in hyperparameters.json.
    type
        The key of its parser in `hyperparameter_values.PARSERS`.
    default
        The value where none is given; None where there is none or it depends, as the help says.
    help
        What it does, in a sentence or two for the documentation.
    low, high
        The ends of the range; None where there is none.
    open_low, open_high
        Whether the end itself is refused.
    choices
        The values allowed; empty where any is.
    owner
        `xgboost` where the library takes it, `toolkit` where this program does, `legacy` where
        neither does any more and old jobs still send it.
    aliases
        Other names it is known by.
    """

    name: str
    type: str
    default: Default
    help: str
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    owner: str = XGBOOST
    aliases: tuple[str, ...] = ()

    @property
    def span(self) -> str:
        """The values allowed, in words; empty where any is."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        # The end of 32 bits is a limit, but not one worth reading about.
        high = None if self.high == INT32_MAX else self.high
        if self.low is not None and high is None:
            return f"above {self.low}" if self.open_low else f"{self.low} or more"
        if self.low is not None and high is not None:
            low_word = "above" if self.open_low else "from"
            high_word = "below" if self.open_high else "to"
            return f"{low_word} {self.low} {'and ' * self.open_high}{high_word} {high}"
        return ""

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        above = self.low is None or value > self.low or (value == self.low and not self.open_low)
        below = (
            self.high is None or value < self.high or (value == self.high and not self.open_high)
        )
        return above and below


def integer(
    name: str, default: int | None, low: int, high: int, text: str, *aliases: str
) -> Hyperparameter:
    """Return a row of XGBoost's for a whole number."""
    return Hyperparameter(name, "int", default, text, low, high, aliases=aliases)


def closed(
    name: str, default: float | None, low: float, high: float | None, text: str, *aliases: str
) -> Hyperparameter:
    """Return a row of XGBoost's for a number whose range holds its ends."""
    return Hyperparameter(name, "float", default, text, low, high, aliases=aliases)


def inside(name: str, default: float | None, low: float, high: float, text: str) -> Hyperparameter:
    """Return a row of XGBoost's for a number whose range leaves out its ends."""
    return Hyperparameter(name, "float", default, text, low, high, open_low=True, open_high=True)


def level(name: str, text: str) -> Hyperparameter:
    """Return a row of XGBoost's for the one level of a distribution, between 0 and 1."""
    return Hyperparameter(name, "level", None, text, 0, 1, open_low=True, open_high=True)


def share(name: str, text: str) -> Hyperparameter:
    """Return a row of XGBoost's for a share of something: above 0, at most 1."""
    return Hyperparameter(name, "float", 1.0, text, 0, 1, open_low=True)


def choice(name: str, default: str | None, choices: tuple[str, ...], text: str) -> Hyperparameter:
    """Return a row of XGBoost's for a word out of several."""
    return Hyperparameter(name, "choice", default, text, choices=choices)


def flag(name: str, text: str, *, default: bool) -> Hyperparameter:
    """Return a row of XGBoost's for a switch."""
    return Hyperparameter(name, "flag", default, text)


def legacy(
    name: str,
    kind: str,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    open_ends: bool = False,
    choices: tuple[str, ...] = (),
) -> Hyperparameter:
    """Return a row for a name of earlier versions; its text says what becomes of it."""
    return Hyperparameter(
        name, kind, None, text, low, high, open_ends, open_ends, choices, owner=LEGACY
    )


def own(
    name: str,
    kind: str,
    default: Default,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Hyperparameter:
    """Return a row of the toolkit's own; a range of fractions leaves out its ends."""
    ends = kind in {"float", "threshold"}
    return Hyperparameter(
        name,
        kind,
        default,
        text,
        low,
        high,
        open_low=ends,
        open_high=ends,
        choices=choices,
        owner=TOOLKIT,
        aliases=aliases,
    )
