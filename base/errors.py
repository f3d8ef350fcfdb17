"""Kinds of error. No HTTP here: `web/http/problems.py` is the only file that knows status codes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum

from base.quota import Quota

Field = tuple[str | int, ...]
"""Which field of what was given: names and positions, from the outside in. `("scope", 0)`."""


class ErrorKind(StrEnum):
    """What kind of error it is; each maps to one HTTP status in `web/http/problems.py`."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    CHECKSUM = "checksum"
    UNSUPPORTED_TYPE = "unsupported_type"
    RANGE = "range"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class ServiceError(Exception):
    """An error that is answered to the caller.

    `code` is a stable word (`snake_case`) for which `web/i18n/error_messages/` holds the sentence
    and what to do. `values` fill the sentence: numbers, limits, words of a closed list; nothing
    personal, and nothing that the caller sent. `retry_after` is in seconds. `fields` are those that
    are wrong, as the code that raises it names them; `about` adds where they are. `quota`: what is
    left to the caller, where it is theirs alone.
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        *,
        retry_after: int | None = None,
        fields: Sequence[Field] = (),
        **values: str | int,
    ) -> None:
        super().__init__(f"{kind}: {code}")
        self.kind = kind
        self.code = code
        self.values = values
        self.retry_after = retry_after
        self.fields = tuple(fields)
        self.quota: Quota | None = None


@contextmanager
def about(*name: str | int) -> Iterator[None]:
    """What is wrong with a value read in this block is wrong with this field.

    Blocks nest: the fields that an error names already are within this one.
    """
    try:
        yield
    except ServiceError as failure:
        failure.fields = tuple((*name, *inner) for inner in failure.fields or ((),))
        raise


def not_found() -> ServiceError:
    """What the caller may not see answers exactly as what does not exist (invariant 7)."""
    return ServiceError(ErrorKind.NOT_FOUND, "not_found")


def invalid(code: str, *, fields: Sequence[Field] = (), **values: str | int) -> ServiceError:
    """The request is understood and cannot be done as it stands."""
    return ServiceError(ErrorKind.INVALID, code, retry_after=None, fields=fields, **values)
