"""Clients: assertions are exchanged for tokens, tokens identify clients; live, once, narrow."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import select, update
from sqlalchemy.engine import Row

from auth import administration, cleanup
from auth.oauth import clients, signing_keys
from auth.oauth.client_assertions import AssertionRefused
from auth.oauth.clients import TokenResponse
from auth.oauth.jws import Reason
from auth.oauth.records import SigningKeyRow
from auth.records.recipients import CLIENT_ROW, ClientRow
from auth.services import CoreServices
from auth.subjects import Client
from base import clock
from base.database import Database
from base.errors import ServiceError
from storage.row_macs import RowAltered
from tests.auth.steps import MoveClock, service_log
from tests.rows import change_row


@dataclass
class Caller:
    """A registered system and its private key."""

    services: CoreServices
    client_id: str
    key: ECKey

    def assertion(self, **changes: Any) -> str:
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.services.settings.public_url,
            "jti": secrets.token_hex(8),
            "exp": now + 60,
        }
        return jwt.encode({"alg": "ES256"}, claims | changes, self.key)

    async def token(self, **fields: Any) -> TokenResponse:
        fields = {"assertion": self.assertion()} | fields
        return await clients.issue_token(self.services, **fields)

    async def refusal(self, **fields: Any) -> Reason:
        with pytest.raises(AssertionRefused) as caught:
            await self.token(**fields)
        last = (await service_log(self.services))[-1]
        assert (last["action"], last["outcome"]) == ("token.refuse", "refused")
        assert last["reason"] == f"assertion_{caught.value.reason}"
        return caught.value.reason


@pytest.fixture
async def caller(services: CoreServices) -> Caller:
    key = ECKey.generate_key("P-256")
    place = await administration.add_organisation(services, name="CAF du Nord", contact="3230")
    client_id = await administration.add_client(
        services,
        organisation_id=place,
        name="Droits",
        jwks={"keys": [key.as_dict(private=False)]},
        scope="evidence consent_requests",
    )
    return Caller(services, client_id, key)


async def client_of(services: CoreServices, token: str) -> Client | None:
    async with services.database.transaction() as tx:
        return await clients.client_of(services, tx, token)


async def test_an_assertion_against_a_token_against_a_name(
    services: CoreServices, caller: Caller
) -> None:
    granted = await caller.token()
    assert (granted.expires_in, granted.scope) == (300, "consent_requests evidence")
    client = await client_of(services, granted.token)
    assert client
    assert (client.client_id, client.name) == (caller.client_id, "Droits")
    assert (client.organisation, client.contact) == ("CAF du Nord", "3230")
    assert client.scope == {"consent_requests", "evidence"}
    last = (await service_log(services))[-1]
    assert (last["action"], last["outcome"]) == ("token.issue", "allowed")
    assert last["actor"]["name"] == "Droits"  # type: ignore[index]  # JSON


async def test_less_may_be_asked_and_no_more(services: CoreServices, caller: Caller) -> None:
    narrow = await caller.token(scope="evidence")
    assert narrow.scope == "evidence"
    client = await client_of(services, narrow.token)
    assert client
    assert client.scope == {"evidence"}
    for scope in ("evidence documents", "everything", " "):
        with pytest.raises(ServiceError, match="scope_refused"):
            await caller.token(scope=scope)
        assert (await service_log(services))[-1]["reason"] == "scope_refused"


async def test_an_assertion_serves_once(caller: Caller) -> None:
    assertion = caller.assertion()
    await caller.token(assertion=assertion)
    assert await caller.refusal(assertion=assertion) is Reason.REPLAYED


async def test_an_assertion_is_spent_even_when_its_scope_is_refused(caller: Caller) -> None:
    assertion = caller.assertion()
    with pytest.raises(ServiceError, match="scope_refused"):
        await caller.token(assertion=assertion, scope="documents")
    assert await caller.refusal(assertion=assertion) is Reason.REPLAYED


async def test_of_twenty_replays_at_once_one_gets_a_token(caller: Caller) -> None:
    assertion = caller.assertion()
    answers = await asyncio.gather(
        *(caller.token(assertion=assertion) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(answer, TokenResponse) for answer in answers) == 1
    refused = [answer.reason for answer in answers if isinstance(answer, AssertionRefused)]
    assert refused == [Reason.REPLAYED] * 19


async def test_the_same_jti_of_another_client_is_another(
    services: CoreServices, caller: Caller
) -> None:
    other = Caller(services, f"other-{secrets.token_hex(4)}", caller.key)
    place = await administration.add_organisation(services, name="MDPH", contact="x")
    await administration.add_client(
        services,
        organisation_id=place,
        name="Autre",
        client_id=other.client_id,
        jwks={"keys": [caller.key.as_dict(private=False)]},
        scope="evidence",
    )
    jti = secrets.token_hex(8)
    assert await caller.token(assertion=caller.assertion(jti=jti))
    assert await other.token(assertion=other.assertion(jti=jti))


async def test_a_stranger_and_another_key_are_refused(
    services: CoreServices, caller: Caller
) -> None:
    stranger = Caller(services, "nobody", caller.key)
    assert await stranger.refusal() is Reason.CLIENT
    forger = Caller(services, caller.client_id, ECKey.generate_key("P-256"))
    assert await forger.refusal() is Reason.SIGNATURE
    assert await caller.refusal(assertion="") is Reason.CLIENT
    assert await caller.refusal(client_id="another") is Reason.SUBJECT
    assert await caller.token(client_id=caller.client_id)


async def test_an_assertion_ends_by_the_databases_clock(
    caller: Caller, moved_clock: MoveClock
) -> None:
    assertion = caller.assertion()
    moved_clock(timedelta(seconds=61))
    assert await caller.refusal(assertion=assertion) is Reason.EXPIRED


async def test_a_token_ends_by_the_databases_clock(
    services: CoreServices, caller: Caller, moved_clock: MoveClock
) -> None:
    token = (await caller.token()).token
    moved_clock(timedelta(minutes=4, seconds=55))
    assert await client_of(services, token)
    moved_clock(timedelta(minutes=5, seconds=1))
    assert await client_of(services, token) is None


async def test_a_barred_client_is_out_at_once(services: CoreServices, caller: Caller) -> None:
    token = (await caller.token()).token
    assert await client_of(services, token)
    await administration.deactivate_client(services, caller.client_id)
    assert await client_of(services, token) is None
    assert await caller.refusal() is Reason.CLIENT


async def test_a_narrowed_client_is_narrower_at_once(
    services: CoreServices, as_owner: Database, caller: Caller
) -> None:
    token = (await caller.token()).token
    client = await client_of(services, token)
    assert client
    assert client.scope == {"evidence", "consent_requests"}
    await change_row(services, as_owner, ClientRow, CLIENT_ROW, client.id, scope="evidence")
    client = await client_of(services, token)
    assert client
    assert client.scope == {"evidence"}


async def test_a_client_changed_without_the_key_is_refused(
    services: CoreServices, as_owner: Database, caller: Caller
) -> None:
    """A wider scope, another key: by someone who writes the database."""
    token, before = (await caller.token()).token, await client_row(services, caller)
    other = {"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}
    mine = update(ClientRow).where(ClientRow.client_id == caller.client_id)
    for values in ({"scope": " ".join(clients.SCOPES)}, {"jwks": other}):
        async with as_owner.transaction() as tx:
            await tx.execute(mine.values(**values))
        with pytest.raises(RowAltered):
            await client_of(services, token)
        with pytest.raises(RowAltered):
            await caller.token()
        async with as_owner.transaction() as tx:
            await tx.execute(mine.values(scope=before.scope, jwks=before.jwks))
        assert await client_of(services, token)


async def client_row(services: CoreServices, caller: Caller) -> Row[Any]:
    async with services.database.transaction() as tx:
        found = await tx.execute(
            select(ClientRow.__table__).where(ClientRow.client_id == caller.client_id)
        )
        return found.one()


async def test_what_is_no_token_of_ours_is_nobody(services: CoreServices, caller: Caller) -> None:
    token = (await caller.token()).token
    head, payload, signature = token.split(".")
    forged = jwt.encode(
        {"alg": "ES256", "typ": "at+jwt", "kid": "x"},
        jwt.decode(token, KeySet.import_key_set(await jwks(services))).claims,
        caller.key,
    )
    for other in ("", "..", token[:-4], f"{head}.{payload}.", f".{payload}.{signature}", forged):
        assert await client_of(services, other) is None
    assert await client_of(services, caller.assertion()) is None


async def jwks(services: CoreServices) -> Any:
    return (await signing_keys.access_tokens(services)).jwks()


async def test_the_first_key_is_made_once_however_many_ask(quiet_services: CoreServices) -> None:
    await asyncio.gather(*(signing_keys.access_tokens(quiet_services) for _ in range(10)))
    async with quiet_services.database.transaction() as tx:
        rows = (await tx.execute(select(SigningKeyRow.__table__))).all()
    assert len(rows) == 1
    assert b"PRIVATE" not in rows[0].sealed


async def test_rotation_refuses_no_living_token_and_no_late_process(
    services: CoreServices, caller: Caller, moved_clock: MoveClock
) -> None:
    def reread() -> None:
        """Read the keys again, as another process does within a minute."""
        signing_keys._cache.clear()

    before = (await caller.token()).token
    old = (await jwks(services))["keys"][0]["kid"]
    new = await signing_keys.rotate(services)
    # 1. Published at once, not yet signing: a process whose cache is late knows every token.
    assert {key["kid"] for key in (await jwks(services))["keys"]} >= {old, new}
    assert (await jwks(services))["keys"][0]["kid"] == old
    # 2. Signing two minutes later; what the old one signed still verifies.
    moved_clock(timedelta(minutes=2, seconds=1))
    reread()
    assert (await jwks(services))["keys"][0]["kid"] == new
    assert await client_of(services, before)
    # 3. Gone once its last token has certainly expired, and deleted by the cleanup.
    moved_clock(timedelta(minutes=10))
    reread()
    assert old not in {key["kid"] for key in (await jwks(services))["keys"]}
    assert (await cleanup.delete_expired(services))["signing_keys"] >= 1
    reread()


async def test_used_assertions_are_swept_once_time_refuses_them(
    services: CoreServices, caller: Caller, moved_clock: MoveClock
) -> None:
    assertion = caller.assertion()
    await caller.token(assertion=assertion)
    await cleanup.delete_expired(services)
    assert await caller.refusal(assertion=assertion) is Reason.REPLAYED
    moved_clock(timedelta(seconds=61))
    assert (await cleanup.delete_expired(services))["assertions"] >= 1
    assert await caller.refusal(assertion=assertion) is Reason.EXPIRED


async def test_nothing_secret_is_printed(caller: Caller) -> None:
    granted = await caller.token()
    assert granted.token not in repr(granted)
