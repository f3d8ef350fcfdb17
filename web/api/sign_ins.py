"""Signing in by a code."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from auth import one_time_codes
from auth.one_time_codes import SignInWarning
from vault.consent.request_transfer import adopt_requests
from web.http.dependencies import ServicesDep, remember_session
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId
from web.http.problems import language_of
from web.http.rate_limit import limit_sign_ins
from web.http.visitor import visitor_of

router = APIRouter(prefix="/v1", tags=["sign-ins"])

Typed = Annotated[str, StringConstraints(max_length=320)]
Secret = Annotated[str, StringConstraints(max_length=64)]


class SignInRequest(BaseModel):
    """Exactly one of the two: a person's phone, or a worker's work e-mail. `browser`: what an
    earlier sign-in on this device returned; it has codes and tries that nobody else can spend."""

    model_config = ConfigDict(extra="forbid")
    phone: Typed | None = None
    email: Typed | None = None
    browser: Secret | None = None


class SignInStarted(BaseModel):
    """The same answer whether or not anyone is there. `secret` is shown this once; finishing needs
    it. `warnings`: why the code may not arrive, as the number alone tells: a landline, a box or a
    special number gets no text message."""

    id: UUID
    secret: str
    expires_at: datetime
    warnings: list[SignInWarning] = []


class Code(BaseModel):
    """The 6 to 14 digits received, and the `secret` that the start of this sign-in answered:
    without it every code is wrong. `browser`: as for the start."""

    model_config = ConfigDict(extra="forbid")
    secret: Secret = ""
    code: Annotated[str, StringConstraints(max_length=32)]
    browser: Secret | None = None


class SessionOpened(BaseModel):
    """The token is shown this once; send it as `Authorization: Bearer`. Keep `browser` on the
    device, for its next sign-in."""

    token: str
    expires_at: datetime
    kind: Literal["person", "worker"]
    browser: str


@router.post(
    "/sign-ins", operation_id="startSignIn", status_code=202, dependencies=[Depends(limit_sign_ins)]
)
async def start_sign_in(
    body: SignInRequest, request: Request, response: Response, services: ServicesDep
) -> SignInStarted:
    """Send a code."""
    response.headers["Cache-Control"] = "no-store"
    started = await one_time_codes.send_code(
        services,
        phone=body.phone,
        email=body.email,
        language=language_of(request),
        visitor=visitor_of(request, body.browser),
    )
    return SignInStarted(
        id=started.id,
        secret=started.secret,
        expires_at=started.expires_at,
        warnings=list(started.warnings),
    )


@router.post(
    "/sign-ins/{sign_in_id}",
    operation_id="finishSignIn",
    status_code=201,
    responses={401: problem_response(401)},
)
async def finish_sign_in(
    sign_in_id: PathId, body: Code, request: Request, response: Response, services: ServicesDep
) -> SessionOpened:
    """Exchange the code for a session."""
    response.headers["Cache-Control"] = "no-store"
    opened = await one_time_codes.redeem_code(
        services,
        sign_in_id,
        secret=body.secret,
        code=body.code,
        language=language_of(request),
        on_vault_opened=adopt_requests,
        visitor=visitor_of(request, body.browser),
    )
    remember_session(request, opened)
    return SessionOpened(
        token=opened.token,
        expires_at=opened.expires_at,
        kind=opened.kind,
        browser=opened.browser,
    )
