"""A mandate on the pages: put together and printed by its worker; signed for by its person."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.mandates import authorisation, keep_scan, prepare, printed, scan_of, signed
from tests.vault.decoding import corpus
from tests.web.api.test_consent_evidence import rows_of
from tests.web.pages.answers import Pairs, say_yes, send, yes_of
from tests.web.pages.test_pages import browser_of


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> tuple[SomePerson, SomeWorker]:
    return await make_person(), await make_worker()


def asked(person: SomePerson, type_: str, purpose: str) -> Pairs:
    return [
        ("phone", person.phone), ("type", type_), ("action", "read"), ("purpose_code", "housing"),
        ("purpose", purpose), ("duration", "P12M"), ("legal_basis", "consent"),
        ("contact_name", "Camille Moreau"), ("contact_phone", "03 20 00 00 01"),
    ]  # fmt: skip


async def checked(browser: httpx.AsyncClient, page: str, fields: Pairs) -> str:
    """The page on which a request is read again before it is sent."""
    token = [pair for pair in yes_of(page, "/pro/requests/new") if pair[0] == "form"]
    more = [pair for pair in yes_of(page, "/pro/requests/new") if pair[0] in ("more", "once")]
    answer = await send(browser, "/pro/requests/new", [*token, *more, *fields])
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_worker_gathers_three_prints_and_lets_nobody_in(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        page = (await browser.get("/pro/requests/new")).text
        for type_, purpose in (("payslip", "Le loyer"), ("lease", "Le bail"),
                               ("rent_receipt", "Les aides")):  # fmt: skip
            read_again = await checked(browser, page, asked(person, type_, purpose))
            first = 'formaction="/pro/mandates/new"' in read_again
            assert first is (type_ == "payslip")
            kept = yes_of(read_again, "/pro/requests/send" if first else "/pro/mandates/new")
            gathered = (await send(browser, "/pro/mandates/new", kept)).text
            kept = yes_of(gathered, "/pro/mandates/send")
            page = (await send(browser, "/pro/requests/new", [*kept, ("change", "yes")])).text
        assert "Autorisation 3" in gathered
        assert "sauf si la personne dit elle-même, dans ses papiers, qu’elle continue" in gathered
        sent = await send(browser, "/pro/mandates/send", [*kept, ("mandate_language", "uk")])
        address = sent.headers["location"].partition("?")[0]
        shown = (await browser.get(address)).text
        assert all(word in shown for word in ("Le loyer", "Le bail", "Les aides"))
        assert "et dit si elle continue" in shown
        pdf = await browser.get(f"{address}/sheet.pdf")
        assert pdf.headers["content-type"] == "application/pdf"
        waiting = await browser.get("/v1/consent-requests", headers=person.headers)
        assert {one["mandate_id"] for one in waiting.json()["items"]} == {address.split("/")[-1]}
        assert (await browser.get("/v1/grants", headers=person.headers)).json()["items"] == []


async def test_sensitive_papers_are_refused_where_they_are_gathered(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        page = (await browser.get("/pro/requests/new")).text
        read_again = await checked(browser, page, asked(person, "residence_permit", "Le titre"))
        kept = yes_of(read_again, "/pro/requests/send")
        gathered = (await send(browser, "/pro/mandates/new", kept)).text
        kept = yes_of(gathered, "/pro/mandates/send")
        answer = await send(browser, "/pro/mandates/send", [*kept, ("mandate_language", "fr")])
        assert answer.status_code == 422
        assert "Retirez les papiers délicats" in answer.text


async def post_scan(
    browser: httpx.AsyncClient, mandate: str, ticked: list[str], scan: bytes, *, page: str = ""
) -> httpx.Response:
    """`page`: what was read, if not now."""
    page = page or (await browser.get(f"/mandates/{mandate}")).text
    fields = dict(yes_of(page, f"/mandates/{mandate}/sign"))
    fields |= {f"ticked_{one}": "yes" for one in ticked}
    return await browser.post(
        f"/mandates/{mandate}/sign", data=fields, files={"file": ("scan.pdf", scan)}
    )


async def test_its_person_ticks_what_they_ticked_and_adds_the_scan(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        prepared = await prepare(browser, worker, person)
        first, second, third = prepared["request_ids"]
        request = (await browser.get(f"/requests/{first}")).text
        assert f'href="/mandates/{prepared["id"]}"' in request
        page = (await browser.get(f"/mandates/{prepared['id']}")).text
        assert " checked" not in page
        scan = scan_of(await printed(browser, worker, prepared["id"]))
        nothing = await post_scan(browser, prepared["id"], [], scan)
        assert nothing.status_code == 422
        assert "Choisissez seulement ce qui est coché" in nothing.text
        papers = await browser.get("/v1/documents", headers=person.headers)
        assert papers.json()["items"] == []
        wrong = await post_scan(browser, prepared["id"], [first], corpus.pdf(1))
        assert wrong.status_code == 422
        assert "on ne lit le dessin d’aucun mandat" in wrong.text
        assert f'name="ticked_{first}" value="yes" checked' in wrong.text
        good = await post_scan(browser, prepared["id"], [first, second], scan)
        assert good.headers.get("location") == "/grants?done=approved", good.text
        grants = (await browser.get("/v1/grants", headers=person.headers)).json()["items"]
        assert {one["mandate_id"] for one in grants} == {prepared["id"]}
        assert len(grants) == 2
        assert f"/mandates/{prepared['id']}/signed" in (await browser.get("/grants")).text
        # A second tap went through; what was left out is answered on a screen, as any request.
        again = await post_scan(browser, prepared["id"], [first, second], scan, page=page)
        assert again.headers.get("location") == "/grants?done=approved", again.text
        more = await post_scan(browser, prepared["id"], [first, third], scan, page=page)
        assert more.status_code == 409
        assert "Mandat déjà signé" in more.text
        left = (await browser.get(f"/requests/{third}")).text
        assert f'href="/mandates/{prepared["id"]}"' not in left
        led = await browser.get(f"/mandates/{prepared['id']}")
        assert led.headers["location"] == f"/mandates/{prepared['id']}/signed"
        grants = (await browser.get("/v1/grants", headers=person.headers)).json()["items"]
        assert len(grants) == 2
        await say_yes(browser, third, ("type", "rent_receipt"), ("action", "deposit"))


async def test_its_person_reads_how_long_for_whom_and_whether_a_copy_is_kept(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    """What the worker wrote beside what the paper says: both are kept, by their digests."""
    person, worker = two
    year = authorisation("payslip", may_store=True, store_for="P1Y")
    month = authorisation("lease", duration="P1M")
    async with browser_of(served, person) as browser:
        prepared = await prepare(browser, worker, person, year, month)
        page = (await browser.get(f"/mandates/{prepared['id']}")).text
        (who,) = re.findall(r"Vous avez signé un papier pour (.*?)\s\?", page)
        assert "Camille Moreau" in who
        assert "Structure " in who
        boxes = [box.split("</dl>")[0] for box in page.split("Autorisation ")[1:]]
        assert len(boxes) == 2
        for box in boxes:
            assert "Demande de logement social" in box
            assert all(word in box for word in ("Jusqu’à quand", "Garder une copie", "Pourquoi"))
        copies = [box.split("Garder une copie")[1] for box in boxes]
        assert copies[0] != copies[1]
        signed_for = "Vous avez signé jusqu’au"
        assert [signed_for in box for box in boxes] == [True, False]
        first, second = prepared["request_ids"]
        scan = scan_of(await printed(browser, worker, prepared["id"]))
        stale = page.replace('name="seen" value="', 'name="seen" value="0')
        refused = await post_scan(browser, prepared["id"], [first], scan, page=stale)
        assert refused.status_code == 422
        papers = await browser.get("/v1/documents", headers=person.headers)
        assert papers.json()["items"] == []
        await post_scan(browser, prepared["id"], [first, second], scan)
        grants = (await browser.get("/v1/grants", headers=person.headers)).json()["items"]
        rows = [row for one in grants for row in await rows_of(served.services, one["id"])]
        (seen,) = {row.wording_hash.hex() for row in rows}
        assert f'name="seen" value="{seen}"' in page


async def test_its_person_is_there_again_and_it_goes_on(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        mandate = await signed(browser, worker, person, authorisation("payslip"))
        address = f"/mandates/{mandate['id']}"
        page = (await browser.get(f"{address}/signed")).text
        fields = yes_of(page, f"{address}/go-on")
        answer = await send(browser, f"{address}/go-on", fields)
        assert answer.headers["location"] == f"{address}/signed?done=goes_on"
        grant = mandate["grants"][0]["id"]
        await browser.post(f"/v1/grants/{grant}/revoke", headers=person.headers)
        late = await send(browser, f"{address}/go-on", fields)
        assert late.status_code == 409
        assert "Plus rien de ce mandat n’est en cours." in late.text


async def test_what_ends_as_it_was_signed_says_so(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as browser:
        mandate = await signed(browser, worker, person, authorisation("payslip", duration="P1M"))
        address = f"/mandates/{mandate['id']}"
        page = (await browser.get(f"{address}/signed")).text
        assert "Pour plus longtemps, il faut un nouveau mandat." in page
        assert f"{address}/go-on" not in page
        year = await signed(browser, worker, person, authorisation("payslip"))
        page = (await browser.get(f"/mandates/{year['id']}/signed")).text
        fields = yes_of(page, f"/mandates/{year['id']}/go-on")
        answer = await send(browser, f"{address}/go-on", fields)
        assert answer.status_code == 409
        assert "dure déjà aussi longtemps" in answer.text


async def test_a_mandate_of_somebody_else_is_no_page(
    served: Served, two: tuple[SomePerson, SomeWorker], make_person: MakePerson
) -> None:
    person, worker = two
    stranger = await make_person()
    async with browser_of(served, stranger) as browser:
        prepared = await prepare(browser, worker, person)
        scan = scan_of(await printed(browser, worker, prepared["id"]))
        await keep_scan(browser, stranger, scan)
        for path in (prepared["id"], f"{prepared['id']}/signed"):
            assert (await browser.get(f"/mandates/{path}")).status_code == 404
