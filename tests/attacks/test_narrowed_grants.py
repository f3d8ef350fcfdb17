"""Invariant 4: a type that becomes sensitive leaves the grants that name it; the papers held that
day stay, and both sides are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from joserfc.jwk import ECKey

from auth import administration
from base.embedded.server import Addresses
from tests.auth.steps import queued_messages
from tests.fixtures import (
    MakeOrganisation,
    MakePerson,
    MakeWorker,
    SomePerson,
    SomeWorker,
    new_private_key_pem,
)
from tests.steps import deposit, granted, log_of, revoke
from tests.vault.decoding import corpus
from vault import catalogue
from vault.consent import grant_upgrade_notices
from vault.consent.grant_upgrade import narrow_grants
from vault.services import Services

TYPES = ("bank_statement", "payslip")


@contextmanager
def former_catalogue() -> Iterator[None]:
    """The catalogue of the first release, in which bank statements were not sensitive."""
    with pytest.MonkeyPatch.context() as former:
        former.setattr(catalogue, "EDITION", 1)
        former.setattr(catalogue, "is_sensitive", lambda code: code == "residence_permit")
        yield


async def given_before(
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    *types: str,
    later: bool = False,
    **changes: Any,
) -> str:
    with former_catalogue():
        narrower = {"covers_future": later}
        return await granted(client, person, worker.headers, *types, narrower=narrower, **changes)


async def listed(client: httpx.AsyncClient, worker: SomeWorker, grant: str) -> set[str]:
    answer = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    assert answer.status_code == 200, answer.text
    return {one["id"] for one in answer.json()["items"]}


async def opened(client: httpx.AsyncClient, worker: SomeWorker, grant: str, paper: str) -> int:
    address = f"/v1/grants/{grant}/documents/{paper}/content"
    return (await client.get(address, headers=worker.headers)).status_code


async def lines(client: httpx.AsyncClient, person: SomePerson, action: str) -> list[Any]:
    return [line for line in await log_of(client, person) if line["action"] == action]


async def test_the_papers_of_that_day_stay_and_nothing_later_enters(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    statement = await deposit(client, person, corpus.pdf(1), type_="bank_statement")
    marked = await deposit(client, person, corpus.pdf(2), type_="bank_statement", sensitive="true")
    payslip = await deposit(client, person, corpus.pdf(3), type_="payslip")
    grant = await given_before(client, person, worker, *TYPES, later=True)
    await narrow_grants(services)
    # 1. What was shown is shown, and not what its owner calls sensitive.
    assert await listed(client, worker, grant) == {statement["id"], payslip["id"]}
    assert await opened(client, worker, grant, statement["id"]) == 200
    assert await opened(client, worker, grant, marked["id"]) == 404
    # 2. Of the types that left, nothing later; of the others, as was ticked.
    later = await deposit(client, person, corpus.pdf(4), type_="bank_statement")
    more = await deposit(client, person, corpus.pdf(5), type_="payslip")
    assert await listed(client, worker, grant) == {statement["id"], payslip["id"], more["id"]}
    assert await opened(client, worker, grant, later["id"]) == 404
    # 3. Both sides read it in the grant, the person in the log.
    for headers in (person.headers, worker.headers):
        scope = (await client.get(f"/v1/grants/{grant}", headers=headers)).json()["scope"]
        assert scope["document_types"] == ["payslip"]
        assert scope["document_ids"] == [statement["id"]]
    (line,) = await lines(client, person, "grant.narrow")
    assert line["documents"] == [statement["id"]]
    assert line["actor"]["kind"] == "service"
    assert "montre moins" in line["sentence"]


@pytest.mark.parametrize("type_", ["health_insurance_certificate", "msa_certificate"])
async def test_health_insurance_certificates_leave_the_grants_of_the_second_edition(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    type_: str,
) -> None:
    """They tell a long illness, and were granted as a whole until the third edition."""
    person, worker = await make_person(), await make_worker()
    held = await deposit(client, person, corpus.pdf(1), type_=type_)
    with pytest.MonkeyPatch.context() as former:
        former.setattr(catalogue, "EDITION", 2)
        former.setattr(catalogue, "is_sensitive", lambda _: False)
        types = (type_, "payslip")
        ticked = {"covers_future": True}
        grant = await granted(client, person, worker.headers, *types, narrower=ticked)
    assert await opened(client, worker, grant, held["id"]) == 503
    await narrow_grants(services)
    later = await deposit(client, person, corpus.pdf(2), type_=type_)
    assert await listed(client, worker, grant) == {held["id"]}
    assert await opened(client, worker, grant, later["id"]) == 404
    (line,) = await lines(client, person, "grant.narrow")
    assert line["documents"] == [held["id"]]


async def test_both_sides_are_told_once_without_a_type_or_a_link(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="bank_statement")
    for _ in range(2):
        await given_before(client, person, worker, *TYPES)
    before = await queued_messages(services, person.phone)
    await narrow_grants(services)
    (sms,) = (await queued_messages(services, person.phone))[len(before) :]
    (mail,) = [
        one for one in await queued_messages(services, worker.email) if "moins" in one["text"]
    ]
    for text in (sms["text"], mail["text"], mail["subject"]):
        assert "http" not in text
        assert "banc" not in text.lower()
        assert "compte" not in text.lower()
    # A second run changes nothing and tells nobody.
    told = len(await queued_messages(services, person.phone))
    mails = len(await queued_messages(services, worker.email))
    await narrow_grants(services)
    assert len(await lines(client, person, "grant.narrow")) == 2
    assert len(await queued_messages(services, person.phone)) == told
    assert len(await queued_messages(services, worker.email)) == mails


async def test_what_was_added_later_does_not_join(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Without the tick, the grant did not cover it: narrowing gives nothing more."""
    person, worker = await make_person(), await make_worker()
    held = await deposit(client, person, corpus.pdf(1), type_="bank_statement")
    gone = await deposit(client, person, corpus.pdf(2), type_="bank_statement")
    relabelled = await deposit(client, person, corpus.pdf(3), type_="lease")
    grant = await given_before(client, person, worker, *TYPES)
    await deposit(client, person, corpus.pdf(4), type_="bank_statement")
    await client.patch(
        f"/v1/documents/{relabelled['id']}",
        headers=person.headers,
        json={"type": "bank_statement"},
    )
    await client.delete(f"/v1/documents/{gone['id']}", headers=person.headers)
    await narrow_grants(services)
    assert await listed(client, worker, grant) == {held["id"]}
    scope = (await client.get(f"/v1/grants/{grant}", headers=person.headers)).json()["scope"]
    assert scope["document_ids"] == [held["id"]]


async def test_a_grant_not_narrowed_yet_opens_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Every use is refused and recorded; its owner can still end it."""
    person, worker = await make_person(), await make_worker()
    held = await deposit(client, person, corpus.pdf(1), type_="bank_statement")
    grant = await given_before(client, person, worker, *TYPES, actions=["read", "deposit"])
    under = f"/v1/grants/{grant}"
    tried = [
        await client.get(f"{under}/documents", headers=worker.headers),
        await client.get(f"{under}/evidence?type=bank_statement", headers=worker.headers),
        await client.get(f"{under}/documents/{held['id']}/content", headers=worker.headers),
        await client.get(f"{under}/documents/{held['id']}/preview", headers=worker.headers),
        await client.post(
            f"{under}/documents",
            headers=worker.headers,
            files={"file": corpus.pdf(2)},
            data={"type": "bank_statement"},
        ),
    ]
    assert {(one.status_code, one.json()["code"]) for one in tried} == {(503, "grant_outdated")}
    refused = [line for line in await log_of(client, person) if line.get("reason") == "outdated"]
    assert len(refused) == len(tried)
    await revoke(client, person, grant)


async def test_a_grant_that_shows_nothing_any_more_is_revoked(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await given_before(client, person, worker, "other", later=True)
    await narrow_grants(services)
    seen = (await client.get(f"/v1/grants/{grant}", headers=person.headers)).json()
    assert seen["state"] == "revoked"
    (line,) = await lines(client, person, "grant.revoke")
    assert line["actor"]["kind"] == "service"
    answer = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "grant_revoked")


@pytest.mark.parametrize(
    ("types", "actions", "sent", "status"),
    [
        # Nothing is shown under it: the type stays.
        (("other",), ["deposit"], "other", 201),
        # Without a type left, it would accept every type.
        (("other",), ["read", "deposit"], "payslip", 403),
        (("other",), ["read", "deposit"], "other", 403),
        (("other", "payslip"), ["read", "deposit"], "payslip", 201),
        (("other", "payslip"), ["read", "deposit"], "other", 403),
    ],
)
async def test_narrowing_widens_no_deposit(
    types: tuple[str, ...],
    actions: list[str],
    sent: str,
    status: int,
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="other")
    grant = await given_before(client, person, worker, *types, actions=actions)
    await narrow_grants(services)
    answer = await client.post(
        f"/v1/grants/{grant}/documents",
        headers=worker.headers,
        files={"file": corpus.pdf(2)},
        data={"type": sent},
    )
    assert answer.status_code == status, answer.text


async def test_a_crash_leaves_a_grant_untouched_or_wholly_narrowed(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    held = await deposit(client, person, corpus.pdf(1), type_="bank_statement")
    grant = await given_before(client, person, worker, *TYPES)

    async def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("the process stops here")

    with monkeypatch.context() as broken:
        broken.setattr(grant_upgrade_notices, "queue", breaks)
        with pytest.raises(RuntimeError):
            await narrow_grants(services)
    scope = (await client.get(f"/v1/grants/{grant}", headers=person.headers)).json()["scope"]
    assert scope["document_types"] == list(TYPES)
    assert await lines(client, person, "grant.narrow") == []
    assert await opened(client, worker, grant, held["id"]) == 503
    await narrow_grants(services)
    assert await opened(client, worker, grant, held["id"]) == 200
    assert len(await lines(client, person, "grant.narrow")) == 1


async def test_an_older_row_put_back_opens_nothing(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    postgres: Addresses,
) -> None:
    """Nor does one whose edition was changed. Narrowing leaves both and does the others."""
    person, worker = await make_person(), await make_worker()
    held = await deposit(client, person, corpus.pdf(1), type_="bank_statement")
    grant = await given_before(client, person, worker, *TYPES, later=True)
    columns = "type_tags, document_ids, may_deposit, covers_future, catalogue_edition, sealed, mac"
    with psycopg.connect(postgres.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        where = 'FROM unefois."grant" WHERE id = %s'
        before = owner.execute(f"SELECT {columns} {where}", [grant]).fetchone()
        assert before
        await narrow_grants(services)
        later = await deposit(client, person, corpus.pdf(2), type_="bank_statement")
        places = ", ".join(["%s"] * len(before))
        put_back = f'UPDATE unefois."grant" SET ({columns}) = ({places}) WHERE id = %s'  # noqa: S608
        owner.execute(put_back, [*before, grant])
        assert await opened(client, worker, grant, later["id"]) == 503
        # Narrowed again, it would take the later paper in: its history forbids it.
        await narrow_grants(services)
        assert await opened(client, worker, grant, later["id"]) == 503
        edition = 'UPDATE unefois."grant" SET catalogue_edition = %s WHERE id = %s'
        owner.execute(edition, [catalogue.EDITION, grant])
        assert await opened(client, worker, grant, later["id"]) == 503
        assert await opened(client, worker, grant, held["id"]) == 503
        owner.execute(edition, [0, grant])
        other = await given_before(client, person, worker, *TYPES)
        await narrow_grants(services)
        assert await opened(client, worker, grant, held["id"]) == 503
        assert await opened(client, worker, other, held["id"]) == 200
        owner.execute('DELETE FROM unefois."grant" WHERE id = %s', [grant])


async def test_a_grant_that_names_nothing_sensitive_goes_on_and_nobody_is_told(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    payslip = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await given_before(client, person, worker, "payslip", later=True)
    told = len(await queued_messages(services, person.phone))
    await narrow_grants(services)
    later = await deposit(client, person, corpus.pdf(2), type_="payslip")
    assert await listed(client, worker, grant) == {payslip["id"], later["id"]}
    assert await lines(client, person, "grant.narrow") == []
    assert len(await queued_messages(services, person.phone)) == told


@pytest.mark.parametrize("contact", ["dsi@caf-exemple.example", "3230"])
async def test_an_administration_is_told_where_its_contact_is_an_e_mail(
    contact: str,
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_organisation: MakeOrganisation,
) -> None:
    person, organisation = await make_person(), await make_organisation("CAF")
    name = await administration.add_client(
        services,
        organisation_id=organisation,
        name="API",
        jwks={"keys": [ec_public_key()]},
        scope="evidence",
        contact=contact,
    )
    await deposit(client, person, corpus.pdf(1), type_="bank_statement")
    body = {
        "recipient": {"client_id": name},
        "scope": {"document_types": list(TYPES), "document_ids": [], "actions": ["attest"]},
        "purpose": {"code": "benefits", "text": "Prime"},
        "duration": "P1M",
    }
    with former_catalogue():
        given = await client.post("/v1/grants", headers=person.headers, json=body)
    assert given.status_code == 201, given.text
    await narrow_grants(services)
    assert len(await queued_messages(services, contact)) == ("@" in contact)
    assert len(await lines(client, person, "grant.narrow")) == 1


def ec_public_key() -> dict[str, Any]:
    jwk = ECKey.import_key(new_private_key_pem())
    return {**jwk.as_dict(private=False), "kid": jwk.thumbprint(), "alg": "ES256"}
