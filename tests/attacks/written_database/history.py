"""What happened to the people of the story before anybody wrote in the database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx

from auth import closing_notices, closing_rules, closings, one_time_codes, sessions
from auth.subjects import Worker
from base.db_time import instant
from base.errors import ServiceError
from tests.attacks.written_database.story import Story, given_to
from tests.auth.means_steps import (
    add_card,
    enter,
    pin_of,
    proved,
    show_card,
    type_code,
    type_pin,
    wrong,
)
from tests.fixtures import (
    MakeClient,
    MakePerson,
    MakeWorker,
    SomePerson,
    SomeWorker,
    last_code,
    new_phone,
)
from tests.joins import joined
from tests.mandates import authorisation, signed
from tests.meetings import met
from tests.recoveries import tied
from tests.representations import bound, inside
from tests.steps import ask, client_headers, deposit, erase, granted, log_of, revoke
from tests.trusted import trusted
from tests.uploads import begin, said, send
from tests.vault.decoding import corpus
from vault.access_log.records import add_warning
from vault.maintenance.key_rotation import rotate_keys
from vault.services import Services

ONE_DAY = timedelta(days=1)


async def tell(
    services: Services,
    http: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> Story:
    """Make them: every table gets a row, most get several."""
    amina, bilal = await make_person(), await make_person()
    wanda, victor = [await _at_work(services, http, await make_worker()) for _ in range(2)]
    system = await make_client()
    story = Story(
        services=services, http=http, amina=amina, bilal=bilal, wanda=wanda, victor=victor,
        system=system, dora=await make_person(), zoe=await make_person(), documents={},
        grants={}, requests={},
    )  # fmt: skip
    await _deposits(story)
    await _uploads(story)
    await _consents(story)
    # Both agreed: for half an hour, longer than this story lasts.
    story.meetings["Amina"] = await met(http, wanda, amina)
    story.meetings["Bilal"] = await met(http, bilal, victor)
    signed_by_him = await signed(http, victor, bilal, authorisation("lease"))
    story.mandates["Bilal"] = signed_by_him["id"]
    await _others(story)
    await erase(services, await make_person())
    await _closing(story)
    await _means(story)
    # Of people whom nothing else here is about: one vault ended in another.
    story.joins["Dora"] = await joined(http, await make_person(), story.dora)
    await tied(services, story.zoe.id, story.dora.id, wanda.subject)
    trusting = await make_person()
    story.trusts = (trusting, await trusted(http, trusting, await make_person()))
    whose, who = await make_person(), await make_person()
    story.representation = (who, await bound(services, whose, who, wanda))
    story.represents = await inside(http, *story.representation)
    # The key that signs receipts, and the secret of their codes, are made by the first one.
    path = f"/v1/grants/{story.grants['type']}/receipt"
    assert (await http.get(path, headers=amina.headers)).is_success
    return story


async def _closing(story: Story) -> None:
    """The service would close, and Amina takes her papers away; then it goes on."""
    services = story.services
    await closings.announce(services, closing_rules.earliest(datetime.now(UTC).date()) + ONE_DAY)
    async with services.database.transaction() as tx:
        await closing_notices.note_export(services, tx, story.amina.subject)
    await closings.cancel(services)


async def _at_work(services: Services, http: httpx.AsyncClient, worker: SomeWorker) -> SomeWorker:
    """Signed in by a code, with no other session."""
    begun = await one_time_codes.send_code(services, email=worker.email)
    opened = await one_time_codes.redeem_code(
        services, begun.id, secret=begun.secret, code=await last_code(services, worker.email)
    )
    signed_in = replace(worker, token=opened.token)
    assert (await http.delete("/v1/sessions", headers=signed_in.headers)).is_success
    async with services.database.transaction() as tx:
        subject = await sessions.subject_of(services, tx, opened.token)
    assert isinstance(subject, Worker)
    return replace(signed_in, subject=subject)


async def _deposits(story: Story) -> None:
    http, amina = story.http, story.amina
    papers = {
        "pay": (amina, "payslip", 1, {}),
        "tax": (amina, "income_tax_notice", 2, {}),
        "gone": (amina, "payslip", 3, {}),
        "kept": (amina, "payslip", 4, {"sensitive": "true"}),
        "theirs": (story.bilal, "payslip", 5, {}),
    }
    for name, (owner, type_, pages, fields) in papers.items():
        content = corpus.pdf(pages)
        story.documents[name] = (await deposit(http, owner, content, type_=type_, **fields))["id"]
        await _known(story, owner, name, 1)
    newer = await http.post(
        f"/v1/documents/{story.documents['tax']}/versions",
        headers=amina.headers,
        files={"file": ("newer.pdf", corpus.pdf(6))},
    )
    assert newer.status_code == 201, newer.text
    await _known(story, amina, "tax", 2)
    path = f"/v1/documents/{story.documents['gone']}"
    assert (await http.delete(path, headers=amina.headers)).is_success


async def _uploads(story: Story) -> None:
    """Each sends two pieces of a file, and not its end."""
    data = corpus.pdf(7)
    for name, person in (("Amina", story.amina), ("Bilal", story.bilal)):
        begun = await begin(story.http, person, len(data), first=data[:100], **said(title="Paie"))
        story.uploads[name] = path = begun.headers["location"]
        sent = await send(story.http, person, path, 100, data[100:200])
        assert sent.status_code == 204, sent.text


async def _known(story: Story, owner: SomePerson, name: str, version: int) -> None:
    path = f"/v1/documents/{story.documents[name]}/content"
    content = (await story.http.get(path, headers=owner.headers)).content
    story.files[sha256(content).hexdigest()] = f"{name} {version}"


async def _consents(story: Story) -> None:
    http, amina, wanda, tax = story.http, story.amina, story.wanda, story.documents["tax"]
    grants = story.grants
    grants["type"] = await granted(http, amina, wanda.headers, "payslip")
    one = {"document_ids": [tax]}
    grants["picked"] = await granted(http, amina, wanda.headers, **one)
    grants["revoked"] = await granted(http, amina, wanda.headers, **one)
    await revoke(http, amina, grants["revoked"])
    grants["attest"] = await granted(
        http, amina, wanda.headers, "income_tax_notice", actions=["attest"]
    )
    system = await client_headers(http, story.system)
    grants["evidence"] = await granted(http, amina, system, "income_tax_notice", actions=["attest"])
    grants["bilal"] = await granted(http, story.bilal, story.victor.headers, "payslip")
    story.requests["waiting"] = await ask(http, story.victor.headers, amina.phone, "payslip")
    story.requests["nobody"] = await ask(http, wanda.headers, new_phone(), "payslip")
    given = await http.post(
        "/v1/grants",
        headers={**amina.headers, "Idempotency-Key": "once"},
        json=given_to(wanda),
    )
    assert given.status_code == 201, given.text
    # Another answer that its key could be pointed at.
    other = await http.post(
        "/v1/grants",
        headers={**story.bilal.headers, "Idempotency-Key": "once"},
        json=given_to(story.victor),
    )
    assert other.status_code == 201, other.text
    for worker in (wanda, story.victor):
        (known, *_) = (await http.get("/v1/people", headers=worker.headers)).json()["items"]
        path = f"/v1/people/{known['id']}"
        answer = await http.patch(path, headers=worker.headers, json={"label": "Mme A."})
        assert answer.is_success, answer.text
    opened = await http.get(story.under("type", story.documents["pay"]), headers=wanda.headers)
    assert opened.is_success


async def _means(story: Story) -> None:
    """A card, of which one wrong PIN was typed, and one on the phone; a card that was only shown;
    an anchor, which was enrolled twice."""
    http = story.http
    pin = await pin_of(story.services, story.bilal)
    story.card = {**await add_card(http, story.bilal, pin), "pin": pin}
    assert (await enter(http, story.card["code"], wrong(pin))).status_code == 401
    begun, coded = await type_code(http, story.services, story.bilal.phone)
    assert coded.status_code == 202, coded.text
    assert (await type_pin(http, begun, wrong(pin))).status_code == 401
    await show_card(http, story.card["code"])
    for end in ("4F7K", "88QP"):
        who = {"family_name": "Haddad", "birth_date": "1990-00-00", "document_end": end}
        enrolled = await proved(http, story.bilal, "PUT", "/v1/me/anchor", {"anchor": who})
        assert enrolled.is_success, enrolled.text


async def _others(story: Story) -> None:
    """A report, an erasure that waits, a wrong code, a rotation, a warning of the log's end."""
    http, services = story.http, story.services
    entry = (await log_of(http, story.amina))[0]["id"]
    reported = await http.post(
        f"/v1/access-log/{entry}/report", headers=story.amina.headers, json={"text": "?"}
    )
    assert reported.is_success, reported.text
    sent = await http.post("/v1/me/erasure/code", headers=story.bilal.headers)
    assert sent.is_success, sent.text
    code = await last_code(services, story.bilal.phone)
    path = "/v1/me"
    asked = await http.request("DELETE", path, headers=story.bilal.headers, json={"code": code})
    assert asked.status_code == 202, asked.text
    for address in ({"phone": story.amina.phone}, {"email": story.wanda.email}):
        begun = await one_time_codes.send_code(services, **address)
        try:
            await one_time_codes.redeem_code(services, begun.id, secret=begun.secret, code="1")
        except ServiceError as failure:
            assert failure.code == "code_wrong"
    await rotate_keys(services, lambda _done, _of: None)
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        await add_warning(tx, macs, story.amina.id, 2020, await instant(tx))
    await services.delivery_status._flush()
