"""What checks a receipt: the public keys, for who holds the file; its code, for who holds paper."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from vault.consent import receipt_codes, receipt_keys
from web.http.accept_header import prefers
from web.http.dependencies import ServicesDep
from web.http.public_resources import public_answer, public_operation

router = APIRouter(prefix="/v1", tags=["receipts"])

_CACHE = "public, max-age=60"


class ReceiptKeys(BaseModel):
    """A JWK set (RFC 7517 §5): public keys alone, also those that sign no more."""

    keys: list[dict[str, Any]]


class ReceiptStateOut(BaseModel):
    """Nothing else is said: no name, no date of the grant, no reason."""

    genuine: Literal[True] = True
    state: Literal["live", "ended"]
    as_of: datetime


@router.get(
    "/receipt-keys",
    operation_id="getReceiptKeys",
    response_model=ReceiptKeys,
    **public_operation(),
)
async def keys(request: Request, services: ServicesDep) -> Response:
    """The public keys that verify receipts, the one that signs first."""
    content = json.dumps(await receipt_keys.public_keys(services), separators=(",", ":")).encode()
    return public_answer(request, content, "application/json", cache=_CACHE, compress=False)


@router.get(
    "/verify/{code}",
    operation_id="verifyReceipt",
    response_model=ReceiptStateOut,
    responses={303: {"description": "To the page that says the same, for a browser."}},
)
async def verify(
    code: Annotated[str, Path(description="The code of a receipt.")],
    request: Request,
    services: ServicesDep,
) -> ReceiptStateOut | Response:
    """Whether a receipt is one of ours, and whether its grant is live now. A browser, as of whoever
    scans the code of a printed one, is led to a page (`Accept: text/html`)."""
    if prefers(request.headers.get("accept", ""), "text/html"):
        # Whatever the code: nothing is looked up, and the page judges it.
        headers = {"Cache-Control": "no-store", "Vary": "Accept"}
        shown = code if code.isalnum() else "-"  # no dots, which browsers take for a way up
        return RedirectResponse(f"/verify/{quote(shown)}", 303, headers)
    found = await receipt_codes.state_behind(services, code)
    return ReceiptStateOut(state=found.state, as_of=found.as_of)
