"""Kinds of error. No HTTP here: `web/problems.py` is the only file that knows status codes."""

from enum import StrEnum


class Kind(StrEnum):
    """What sort of thing went wrong; each maps to one HTTP status in `web/problems.py`."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    UNSUPPORTED_TYPE = "unsupported_type"
    RANGE = "range"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class Failure(Exception):  # noqa: N818  (a failure is an answer to the caller, not a defect)
    """An answer that is not the one hoped for.

    `code` is a stable word (`snake_case`) for which `web/problems.py` holds the sentence and what
    to do, in every language. `values` fill the sentence: numbers, limits, closed words; never
    anything personal, never anything the caller sent. `retry_after` is in seconds.
    """

    def __init__(
        self, kind: Kind, code: str, *, retry_after: int | None = None, **values: str | int
    ) -> None:
        super().__init__(f"{kind}: {code}")
        self.kind = kind
        self.code = code
        self.values = values
        self.retry_after = retry_after


def not_found() -> Failure:
    """What one may not see answers exactly as what does not exist (invariant 7)."""
    return Failure(Kind.NOT_FOUND, "not_found")


def invalid(code: str, **values: str | int) -> Failure:
    """The request is understood and cannot be done as it stands."""
    return Failure(Kind.INVALID, code, retry_after=None, **values)
