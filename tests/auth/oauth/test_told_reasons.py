"""What a client is told of an assertion that it signed, and that nobody else is told anything."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from auth import administration
from auth.oauth.jws import Reason
from auth.services import CoreServices
from base import clock
from tests.auth.oauth.test_clients import Caller, caller
from tests.auth.oauth.test_token_endpoint import form
from web.api.oauth import _BARE, _SIGNED_BUT, ASSERTION_TYPE

__all__ = ["caller"]

HOUR = 3600
ABSENT: Any = ...
# Times in seconds from now.
WRONG: dict[str, tuple[dict[str, Any], Reason]] = {
    "expired": ({"exp": -1}, Reason.EXPIRED),
    "issued in the future": ({"iat": HOUR}, Reason.EARLY),
    "not valid yet": ({"nbf": HOUR}, Reason.EARLY),
    "of an hour": ({"exp": HOUR}, Reason.LIFETIME),
    "for somebody else": ({"aud": "https://elsewhere.example"}, Reason.AUDIENCE),
    "for nobody": ({"aud": ABSENT}, Reason.AUDIENCE),
    "of another issuer": ({"iss": "another"}, Reason.SUBJECT),
    "without an issuer": ({"iss": ABSENT}, Reason.SUBJECT),
    "without an end": ({"exp": ABSENT}, Reason.CLAIMS),
    "without a jti": ({"jti": ABSENT}, Reason.CLAIMS),
    "with a time in words": ({"exp": "soon"}, Reason.CLAIMS),
}
TIMES = {"exp", "iat", "nbf"}


def signed(caller: Caller, changes: Mapping[str, Any], jti: str = "b7c1-told") -> str:
    """An assertion by the caller's key, wrong in one way."""
    now = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": caller.client_id,
        "sub": caller.client_id,
        "aud": caller.services.settings.public_url,
        "jti": jti,
        "exp": now + 60,
    }
    for name, value in changes.items():
        claims[name] = now + value if name in TIMES and isinstance(value, int) else value
    claims = {name: value for name, value in claims.items() if value is not ABSENT}
    return jwt.encode({"alg": "ES256"}, claims, caller.key)


async def told(http: httpx.AsyncClient, caller: Caller, **changes: str) -> str:
    """The description of the refusal."""
    answer = await http.post("/oauth/token", data=form(caller, **changes))
    body = answer.json()
    assert (answer.status_code, body["error"], body.keys()) == (
        401, "invalid_client", {"error", "error_description"},
    )  # fmt: skip
    return str(body["error_description"])


@pytest.mark.parametrize("name", WRONG)
async def test_who_signed_is_told_what_is_wrong(
    client: httpx.AsyncClient, caller: Caller, name: str
) -> None:
    changes, reason = WRONG[name]
    description = await told(client, caller, client_assertion=signed(caller, changes))
    assert description == _SIGNED_BUT[reason]


async def test_who_signed_is_told_of_a_second_use_and_of_another_client_id(
    client: httpx.AsyncClient, caller: Caller
) -> None:
    data = form(caller)
    assert (await client.post("/oauth/token", data=data)).status_code == 200
    assert "jti" in await told(client, caller, **data)
    assert "client_id" in await told(client, caller, client_id="another")


@pytest.mark.parametrize("name", WRONG)
async def test_whoever_did_not_sign_is_told_nothing(
    client: httpx.AsyncClient, caller: Caller, name: str
) -> None:
    """Another key, the key under another name, and a signature spoilt: one bare answer."""
    changes, _ = WRONG[name]
    forger = replace(caller, key=ECKey.generate_key("P-256"))
    nobody = replace(caller, client_id="nobody-here")
    right = signed(caller, changes)
    spoilt = right[:-6] + ("AAAAAA" if right[-6:] != "AAAAAA" else "BBBBBB")
    for assertion in (signed(forger, changes), signed(nobody, changes), spoilt, "a.b.c", ""):
        assert await told(client, caller, client_assertion=assertion) == _BARE


@pytest.mark.parametrize("given", [{}, {"client_assertion_type": "jwt-bearer"}])
async def test_who_sent_no_assertion_of_ours_is_told_which_is(
    client: httpx.AsyncClient, caller: Caller, given: dict[str, str]
) -> None:
    """Whichever client it names, known or not."""
    data = {"grant_type": "client_credentials"} | given
    said = [
        (await client.post("/oauth/token", data=data | {"client_id": name})).json()
        for name in (caller.client_id, "nobody-here")
    ]
    assert said[0] == said[1]
    assert said[0]["error"] == "invalid_client"
    assert ASSERTION_TYPE in said[0]["error_description"]


async def test_a_barred_client_is_told_nothing(
    client: httpx.AsyncClient, services: CoreServices, caller: Caller
) -> None:
    await administration.deactivate_client(services, caller.client_id)
    assert await told(client, caller) == _BARE
    assert await told(client, caller, client_assertion=signed(caller, {"exp": -1})) == _BARE


def test_every_reason_that_only_signed_claims_have_is_told() -> None:
    """The others are found before the signature, or cannot happen after it."""
    unsigned = {
        Reason.SIZE, Reason.FORM, Reason.ENCODING, Reason.JSON, Reason.CRITICAL, Reason.HEADER,
        Reason.ALGORITHM, Reason.TYPE, Reason.KEY, Reason.SIGNATURE, Reason.CLIENT, Reason.ISSUER,
    }  # fmt: skip
    assert set(Reason) - unsigned == _SIGNED_BUT.keys()
    for text in (_BARE, *_SIGNED_BUT.values()):
        # RFC 6749 §5.2: these characters only.
        assert text.isascii()
        assert not set(text) & set('"\\')
