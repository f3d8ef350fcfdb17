"""`WWW-Authenticate`: how to authenticate, and what was wrong with the token (RFC 6750 §3)."""

from starlette.requests import Request

from base.errors import ErrorKind, ServiceError

_BEARER = 'Bearer realm="unefois"'
# The same for a token that expired, was revoked or never existed.
_INVALID = "The token is not valid, or no longer: sign in again, or ask for a new one."
_INSUFFICIENT = "The token does not have this scope: ask for a token that has it."


def challenge_of(request: Request, failure: ServiceError) -> str | None:
    """The header's value; None for a failure that asks for no other credentials.

    Without a token, nothing is said to be wrong with it (§3.1).
    """
    if failure.code == "token_scope_missing":
        scope = failure.values["scope"]
        return (
            f'{_BEARER}, error="insufficient_scope", error_description="{_INSUFFICIENT}",'
            f' scope="{scope}"'
        )
    if failure.kind is not ErrorKind.UNAUTHENTICATED:
        return None
    if failure.code == "unauthenticated" and _sent_token(request):
        return f'{_BEARER}, error="invalid_token", error_description="{_INVALID}"'
    return _BEARER


def _sent_token(request: Request) -> bool:
    schemes = (value.partition(" ")[0] for value in request.headers.getlist("authorization"))
    return any(scheme.lower() == "bearer" for scheme in schemes)
