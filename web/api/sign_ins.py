"""Signing in by a code, or by a card; then, for some, by a PIN."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from auth import one_time_codes, pin_sign_ins
from auth.one_time_codes import SignInWarning
from auth.pin_sign_ins import PinAsked
from auth.session_start import NewSession
from auth.visitor import Visitor
from base.errors import about, invalid
from vault.consent.request_transfer import adopt_requests
from vault.services import Services
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
    """Exactly one of the three: a person's phone, a worker's work e-mail, or a `card`: the code
    that is printed on it, as it was typed, or what its QR holds. `browser`: what an earlier sign-in
    on this device returned; it has codes and tries that nobody else can spend."""

    model_config = ConfigDict(extra="forbid")
    phone: Typed | None = None
    email: Typed | None = None
    card: Typed | None = None
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
    """The 6 to 14 digits received, or the PIN, and the `secret` that the start of this sign-in
    answered: without it every code and every PIN is wrong. `browser`: as for the start."""

    model_config = ConfigDict(extra="forbid")
    secret: Secret = ""
    code: Annotated[str, StringConstraints(max_length=32)] | None = None
    pin: Annotated[str, StringConstraints(max_length=32)] | None = None
    browser: Secret | None = None


class PinAskedOut(BaseModel):
    """The code was right; a PIN is asked now, at the same address with the same `secret`. It alone
    decides whose vault opens."""

    next: Literal["pin"] = "pin"
    expires_at: datetime


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
    """Send a code; or take what a card shows, and ask its PIN."""
    response.headers["Cache-Control"] = "no-store"
    if body.card is not None:
        if body.phone is not None or body.email is not None:
            raise invalid("one_address", fields=[("phone",), ("email",), ("card",)])
        with about("card"):
            waiting = await pin_sign_ins.begin_with_card(services, body.card)
        return SignInStarted(id=waiting.id, secret=waiting.secret, expires_at=waiting.expires_at)
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
    responses={
        202: {"model": PinAskedOut, "description": "The code is right. A PIN is asked."},
        401: problem_response(401),
    },
)
async def finish_sign_in(
    sign_in_id: PathId, body: Code, request: Request, response: Response, services: ServicesDep
) -> SessionOpened:
    """Exchange the code, or the PIN, for a session."""
    response.headers["Cache-Control"] = "no-store"
    visitor = visitor_of(request, body.browser)
    if (body.code is None) == (body.pin is None):
        raise invalid("code_or_pin", fields=[("code",), ("pin",)])
    try:
        opened = await _redeem(services, sign_in_id, body, visitor, language_of(request))
    except PinAsked as asked:
        # The answer's model is that of a session: what is asked instead is said in its own.
        waiting = PinAskedOut(expires_at=asked.pending.expires_at)
        return JSONResponse(waiting.model_dump(mode="json"), 202, {"Cache-Control": "no-store"})  # type: ignore[return-value]
    remember_session(request, opened)
    return SessionOpened(
        token=opened.token,
        expires_at=opened.expires_at,
        kind=opened.kind,
        browser=opened.browser,
    )


async def _redeem(
    services: Services, sign_in_id: UUID, body: Code, visitor: Visitor, language: str
) -> NewSession:
    if body.pin is not None:
        return await pin_sign_ins.redeem_pin(
            services, sign_in_id, secret=body.secret, pin=body.pin, visitor=visitor
        )
    return await one_time_codes.redeem_code(
        services,
        sign_in_id,
        secret=body.secret,
        code=body.code or "",
        language=language,
        on_vault_opened=adopt_requests,
        visitor=visitor,
    )
