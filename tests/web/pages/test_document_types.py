"""Pages show both names of a type, offer what is offered, and name the date that matters."""

import re

import httpx
import pytest

from tests.attacks.test_retired_types import RETIRED, held_before
from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import deposit
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of, send
from tests.web.pages.test_pages import a_photo, add, browser_of
from vault.catalogue import document_types
from vault.catalogue.document_types import offered_types
from web.i18n.date_labels import DATE_LABELS, date_label
from web.pages import forms
from web.pages.document_fields import date_fields, metadata_of, typed

BOTH = "Papier des impôts (avis d’impôt ou de situation déclarative)"


def options(page: httpx.Response) -> list[str]:
    return re.findall(r'<option value="([a-z_]+)"', page.text)


async def pages_of_types(browser: httpx.AsyncClient, address: str) -> list[httpx.Response]:
    """Every page that shows types of a family, as links lead there."""
    families = re.findall(r'href="[^"]*(\?family=[a-z]+)"', (await browser.get(address)).text)
    assert len(families) == 12
    pages = []
    for query in families:
        following: list[str] = [query]
        while following:
            pages.append(await browser.get(address + following[0]))
            links = re.findall(r'href="[^"]*(\?family=[a-z]+&amp;start=\d+)"', pages[-1].text)
            following = [link.replace("&amp;", "&") for link in links]
    return pages


async def test_forms_offer_what_is_offered_under_its_heading_with_both_names(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add", a_photo())
        pages = await pages_of_types(browser, draft_of(sent) + "/type")
    codes = [re.findall(r'<button name="type" value="([a-z_]+)"', page.text) for page in pages]
    own = [of_page[:-1] for of_page in codes]
    assert [code for of_page in own for code in of_page] == [e.code for e in offered_types()]
    assert all(0 < len(of_page) <= 10 for of_page in own)
    assert all(
        of_page[-1] == "other" and "Je ne sais pas" in page.text
        for of_page, page in zip(codes, pages, strict=True)
    )
    assert sum(f"<span>{BOTH}</span>" in page.text for page in pages) == 1
    async with browser_of(served, worker) as browser:
        page = await browser.get("/pro/requests/new")
    assert re.findall(r'name="type" value="([a-z_]+)"', page.text) == [
        entry.code for entry in offered_types()
    ]
    # A worker reads the office's names: « ma carte » would be theirs.
    assert BOTH not in page.text
    assert "Avis d’impôt" in page.text


async def test_a_paper_of_a_retired_type_keeps_it_in_its_own_form_only(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    old = await held_before(client, person)
    new = await deposit(client, person, corpus.pdf(2), type_="payslip")
    async with browser_of(served, person) as browser:
        page = await browser.get(f"/documents/{old['id']}/correct")
        assert options(page)[0] == RETIRED
        assert f'value="{RETIRED}" selected' in page.text
        assert RETIRED not in options(await browser.get(f"/documents/{new['id']}/correct"))
        token = await forms.token_for(served.services, person.token)
        fields = {"form": token, "type": RETIRED, "title": "Mon TCF"}
        kept = await browser.post(f"/documents/{old['id']}/correct", data=fields)
        assert kept.headers["location"].endswith("?done=corrected")
        refused = await browser.post(f"/documents/{new['id']}/correct", data=fields)
        assert refused.status_code == 422
        assert "Cette sorte de papier a été remplacée" in refused.text
        assert RETIRED not in options(refused)


async def test_the_day_to_answer_and_the_year_are_asked_kept_and_shown(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = "/documents/add?type=eviction_notice"
        sent = await send(served, person, browser, address, a_photo("green"))
        page = await browser.get(sent.headers["location"])
        assert "<legend>Répondre avant</legend>" in page.text
        assert page.text.count("<fieldset") == 1
        answer = await add(
            served, person, browser, a_photo(), type="eviction_notice", due_on="31/12/2000"
        )
        shown = await browser.get(answer.headers["location"])
        late = r'flag over"><svg.*?</svg>Répondre avant\s: 31 décembre 2000 \(c’est passé\)'
        assert re.search(late, shown.text)
        assert re.search(late, (await browser.get("/documents")).text)
        answer = await add(
            served,
            person,
            browser,
            a_photo("red"),
            type="income_tax_notice",
            income_year="2025",
        )
        shown = await browser.get(answer.headers["location"])
        assert BOTH in shown.text
        assert "<dt>Année des revenus</dt><dd>2025</dd>" in shown.text
        wrong = await add(
            served, person, browser, a_photo("blue"), type="income_tax_notice", income_year="25"
        )
        assert wrong.status_code == 422


@pytest.mark.parametrize(
    ("code", "labels"),
    [
        ("passport", {"expires_on": "Bon jusqu’au"}),
        ("asylum_decision", {"due_on": "Répondre avant"}),
        ("property_tax_notice", {"due_on": "Payer avant"}),
        ("legal_aid_decision", {"due_on": "À utiliser avant"}),
        ("court_summons", {"due_on": "Date du rendez-vous"}),
        ("payslip", {"issued_on": "Date du document"}),
        ("income_tax_notice", {"income_year": "Année des revenus"}),
    ],
)
def test_the_date_that_matters_comes_first_under_its_name(
    code: str, labels: dict[str, str]
) -> None:
    fields = date_fields(typed({"type": code}))
    assert dict(fields[:1]) == labels
    names = [name for name, _ in fields]
    assert len(set(names)) == len(names)
    assert {"issued_on", "expires_on", "due_on"} <= set(names)
    assert ("income_year" in names) is (code == "income_tax_notice")


def test_nothing_that_was_typed_is_lost_from_a_form() -> None:
    values = typed({"type": "payslip", "income_year": "2024"})
    assert "income_year" in dict(date_fields(values))
    assert [name for name, _ in date_fields({})] == [
        "issued_on", "expires_on", "due_on", "income_year",
    ]  # fmt: skip
    assert metadata_of({"type": "payslip", "income_year": " 2024 "}).income_year == 2024


async def test_the_api_tells_each_date_its_field_and_its_name(client: httpx.AsyncClient) -> None:
    items = (await client.get("/v1/document-types")).json()["items"]
    assert [item["code"] for item in items] == [entry.code for entry in document_types()]
    by_code = {item["code"]: item for item in items}
    notice = by_code["income_tax_notice"]
    assert notice["labels"]["fr"] == BOTH
    assert notice["names"]["falc"] == notice["easy_names"]["fr"] == "Papier des impôts"
    assert notice["names"]["fr"] == notice["official_names"]["fr"]
    assert (notice["date_field"], notice["date_label"]["fr"]) == (
        "income_year",
        "Année des revenus",
    )
    assert by_code["eviction_notice"]["date_label"] == {
        "fr": "Répondre avant",
        "en": "Answer before",
    }
    assert (by_code["diploma"]["date_field"], by_code["diploma"]["date_label"]) == (None, None)
    assert by_code[RETIRED]["replaced_by"] == ["french_language_test", "french_language_diploma"]
    assert notice["source"]["checked_on"] == "2026-11-26"


def test_every_date_has_a_name_in_both_languages() -> None:
    for kind, french in DATE_LABELS.items():
        assert date_label(kind, "fr") == french
        assert date_label(kind, "en") not in {None, french}


async def test_dates_of_a_paper_go_through_the_api(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    paper = await deposit(
        client,
        person,
        corpus.pdf(1),
        type_="income_tax_notice",
        income_year="2025",
        due_on="2026-12-31",
    )
    assert (paper["income_year"], paper["due_on"]) == (2025, "2026-12-31")
    address = f"/v1/documents/{paper['id']}"
    changed = await client.patch(address, headers=person.headers, json={"due_on": None})
    assert (changed.json()["income_year"], changed.json()["due_on"]) == (2025, None)
    for wrong in ({"income_year": 25}, {"income_year": "x"}, {"due_on": "soon"}):
        answer = await client.patch(address, headers=person.headers, json=wrong)
        assert answer.status_code == 422
