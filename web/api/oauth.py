"""The token endpoint of administrations (RFC 6749 §4.4), its metadata and its public keys.

Errors here have the form of RFC 6749 §5.2, not of RFC 9457: OAuth clients read that one.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from auth.oauth import clients, signing_keys
from auth.oauth.client_assertions import MAX_AHEAD, AssertionRefused
from auth.oauth.jws import Reason
from auth.services import CoreServices
from base.errors import ServiceError
from web.http.dependencies import ServicesDep
from web.http.public_resources import TEN_MINUTES, public_answer, public_operation

router = APIRouter(tags=["oauth"])

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM = "application/x-www-form-urlencoded"
_MAX_BODY_BYTES = 16 * 1024
_MAX_PARAMETERS = 32
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Token(BaseModel):
    """RFC 6749 §5.1; `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenError(BaseModel):
    """RFC 6749 §5.2."""

    error: str
    error_description: str


class JwkSet(BaseModel):
    """RFC 7517 §5: public keys alone."""

    keys: list[dict[str, Any]]


class _OAuthError(Exception):
    """An error of RFC 6749 §5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


_BARE = "the client is not authenticated (private_key_jwt)"
_SIGNED_BUT = {
    Reason.EXPIRED: "the assertion has expired (exp): sign a new one; is your clock right?",
    Reason.EARLY: "the assertion is not valid yet (iat or nbf): is your clock right?",
    Reason.LIFETIME: f"exp is too far ahead: {MAX_AHEAD} seconds at most; is your clock right?",
    Reason.AUDIENCE: "aud must be one value: the issuer, or the address of this endpoint",
    Reason.REPLAYED: "this jti was used already: sign a new assertion with another",
    Reason.SUBJECT: "iss, sub and the parameter client_id, if sent, must all be your client_id",
    Reason.CLAIMS: "exp and jti are required; exp, iat and nbf are whole seconds",
}
"""What is wrong with an assertion whose signature holds."""

_PARAMETERS = {
    "type": "object",
    "required": ["grant_type", "client_assertion_type", "client_assertion"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
        "client_assertion": {"type": "string"},
        "client_id": {"type": "string"},
        "scope": {"type": "string"},
    },
}


@router.post(
    "/oauth/token",
    operation_id="issueToken",
    response_model=Token,
    responses={400: {"model": TokenError}, 401: {"model": TokenError}},
    openapi_extra={"requestBody": {"required": True, "content": {_FORM: {"schema": _PARAMETERS}}}},
)
async def token(request: Request, services: ServicesDep) -> JSONResponse:
    """Exchange a signed assertion for a token of five minutes."""
    try:
        form = await _form(request)
        granted = await _issue(services, request, form)
    except _OAuthError as error:
        return _error(request, error)
    return JSONResponse(
        {
            "access_token": granted.token,
            "token_type": "Bearer",
            "expires_in": granted.expires_in,
            "scope": granted.scope,
        },
        headers=_NO_STORE,
    )


@router.get(
    "/.well-known/oauth-authorization-server",
    operation_id="getAuthorizationServerMetadata",
    response_model=dict[str, Any],
    **public_operation(),
)
async def metadata(request: Request, services: ServicesDep) -> Response:
    """RFC 8414."""
    issuer = signing_keys.issuer(services)
    values = {
        "issuer": issuer,
        "token_endpoint": clients.token_endpoint(services),
        "jwks_uri": f"{issuer}/jwks.json",
        "scopes_supported": list(clients.SCOPES),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "PS256", "EdDSA", "Ed25519"],
    }
    return _public(request, values, TEN_MINUTES)


@router.get("/.well-known/jwks.json", include_in_schema=False, **public_operation())
@router.get(
    "/jwks.json", operation_id="getSigningKeys", response_model=JwkSet, **public_operation()
)
async def jwks(request: Request, services: ServicesDep) -> Response:
    """The public keys that verify our access tokens (RFC 7517 §5)."""
    keys = (await signing_keys.access_tokens(services)).jwks()
    return _public(request, keys, "public, max-age=60")


def _public(request: Request, values: Mapping[str, Any], cache: str) -> Response:
    content = json.dumps(values, separators=(",", ":")).encode()
    return public_answer(request, content, "application/json", cache=cache)


async def _issue(
    services: CoreServices, request: Request, form: dict[str, str]
) -> clients.TokenResponse:
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise _OAuthError("invalid_request", "grant_type is missing")
    if grant_type != "client_credentials":
        raise _OAuthError("unsupported_grant_type", "only client_credentials is supported")
    # An assertion of another type, or none, is refused and recorded like one that does not verify.
    ours = form.get("client_assertion_type") == ASSERTION_TYPE
    other = "client_secret" in form or "authorization" in request.headers
    if ours and other:
        raise _OAuthError("invalid_request", "one way of authenticating at a time")
    try:
        return await clients.issue_token(
            services,
            assertion=form.get("client_assertion", "") if ours else "",
            client_id=form.get("client_id"),
            scope=form.get("scope"),
        )
    except AssertionRefused as refused:
        raise _OAuthError("invalid_client", _description(refused, ours=ours), 401) from None
    except ServiceError as failure:
        if failure.code != "scope_refused":
            raise
        raise _OAuthError("invalid_scope", "the scope is not among those of this client") from None


def _description(refused: AssertionRefused, *, ours: bool) -> str:
    """Why, to who signed with a key of the client; to anyone else nothing (RFC 6749 §5.2), but how
    to authenticate when no assertion of our type came: that says nothing of any client."""
    if not ours:
        return f"client_assertion_type must be {ASSERTION_TYPE}, beside client_assertion"
    return _SIGNED_BUT.get(refused.reason, _BARE) if refused.signed else _BARE


async def _form(request: Request) -> dict[str, str]:
    """The parameters, each at most once; an empty one is an omitted one (RFC 6749 §3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _OAuthError("invalid_request", f"the body must be {_FORM}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise _OAuthError("invalid_request", "the body is too long")
    try:
        pairs = parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise _OAuthError("invalid_request", "the body is not a form") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _OAuthError("invalid_request", "a parameter is repeated")
    return form


def _error(request: Request, error: _OAuthError) -> JSONResponse:
    headers = dict(_NO_STORE)
    if error.status == 401 and request.headers.get("authorization", "")[:6].lower() == "basic ":
        headers["WWW-Authenticate"] = 'Basic realm="unefois"'
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, error.status, headers)
