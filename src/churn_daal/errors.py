"""One family of errors, so that each door (exit code, HTTP status) can tell them apart.

The split of training faults follows the one AWS's images use in their logs (`UserError`,
`AlgorithmError`); the statuses of refused requests are those AWS's XGBoost image answers,
since clients match on them.
"""

from __future__ import annotations


class ChurnDaalError(Exception):
    """Any fault this package can name."""


class UserError(ChurnDaalError):
    """The job's data or settings are at fault, and the message says how to mend them."""


class AlgorithmError(ChurnDaalError):
    """The fault lies in this program or a library under it, not in the user's input."""


class ConversionError(ChurnDaalError):
    """oneDAL cannot represent this booster; XGBoost itself has to serve it."""


class ArtifactError(ChurnDaalError):
    """The model folder is damaged, incomplete, or of a version this release cannot read."""


class DataError(ChurnDaalError):
    """Tabular input is at fault at a place that can be named.

    Parameters
    ----------
    reason
        What came, what was expected and the remedy.
    row
        1-based record of the file or body, a header counted; None where no one row is at fault.
    column
        1-based position in the file or body; None where no one column is at fault.
    name
        The column's name, where it has one.
    """

    def __init__(
        self,
        reason: str,
        *,
        row: int | None = None,
        column: int | None = None,
        name: str | None = None,
    ) -> None:
        self.reason, self.row, self.column, self.name = reason, row, column, name
        super().__init__(reason)

    def __str__(self) -> str:
        places = []
        if self.row is not None:
            places.append(f"row {self.row}")
        if self.column is not None:
            places.append(f"column {self.column}")
        if self.name is not None:
            places.append(repr(self.name) if self.column is None else f"({self.name!r})")
        where = ", ".join(places).replace(", (", " (")
        return f"{where}: {self.reason}" if where else self.reason


class DecodeError(DataError):
    """The bytes are not what their type says: a bad cell, a ragged row, broken JSON."""


class SchemaError(DataError):
    """The input decodes but is not what the model was trained on: widths, names, kinds."""


class RequestError(ChurnDaalError):
    """A request that is refused; `status` is the HTTP status it is answered with.

    Inference code of a user's own raises it, as `churn_daal.RequestError`, to refuse a request.

    Parameters
    ----------
    text
        What came, what was expected and the remedy: the client reads it.
    status
        From 400 to 599; by default the class's own.
    """

    status = 400

    def __init__(self, text: str, *, status: int | None = None) -> None:
        if status is not None:
            if not 400 <= status <= 599:
                raise ValueError(f"status is {status}; a refusal has one from 400 to 599")
            self.status = status
        super().__init__(text)


class UndecodableBodyError(RequestError):
    """415: the body cannot be decoded as the type it declares."""

    status = 415


class UnsupportedMediaTypeError(RequestError):
    """415: the body's declared type is not one this server reads."""

    status = 415


class NotAcceptableError(RequestError):
    """406: none of the accepted answer types is one this server writes."""

    status = 406


class PayloadTooLargeError(RequestError):
    """413: the body is over the limit."""

    status = 413


class NoRoomError(RequestError):
    """507: there is no room for it."""

    status = 507


class ModelNotLoadedError(RequestError):
    """404: no model of that name is loaded, or none lies where it should be loaded from."""

    status = 404


class ModelConflictError(RequestError):
    """409: a model of that name is loaded already."""

    status = 409


class ModelUnavailableError(RequestError):
    """503: the model is loaded, but this worker cannot answer for it."""

    status = 503
