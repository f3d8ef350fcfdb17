"""What a person reads of a paper that was kept, or not: its dates, its signature, its copy."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import deposit, granted
from tests.vault.decoding import corpus, signed_pdfs
from tests.web.pages.test_pages import a_photo, add, browser_of, served_with
from vault.catalogue import by_code
from web.pages import forms
from web.pages.labels import PAGE_MESSAGES, type_names

CHOOSE_AGAIN = "Il faut choisir la photo ou le fichier de nouveau."
KEPT = "Le reste est gardé."


def words(page: httpx.Response) -> str:
    """A page with plain spaces before its colons."""
    return page.text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("code", "field", "name", "value"),
    [
        ("eviction_notice", "due_on", "Répondre avant", "2030-01-15"),
        ("court_summons", "due_on", "Date du rendez-vous", "2030-01-15"),
        ("income_tax_notice", "income_year", "Année des revenus", "2025"),
    ],
)
async def test_a_paper_asks_for_the_date_that_it_should_not_be_without(
    served: Served, make_person: MakePerson, code: str, field: str, name: str, value: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        without = await add(served, person, browser, a_photo(), type=code)
        page = await browser.get(without.headers["location"])
        address = without.headers["location"].split("?")[0] + f"/correct#{field}"
        assert f'href="{address}"' in page.text
        assert f"Ajoutez : {name}" in words(page)
        assert f'id="{field}"' in (await browser.get(address)).text
        dated = await add(served, person, browser, a_photo("red"), type=code, **{field: value})
        assert "/correct#" not in (await browser.get(dated.headers["location"])).text.replace(
            "/correct#sensitive", ""
        )


async def test_tax_papers_are_told_apart_in_the_list_by_their_year(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        for colour, year in (("white", "2024"), ("red", "2025")):
            await add(
                served,
                person,
                browser,
                a_photo(colour),
                type="income_tax_notice",
                income_year=year,
            )
        listed = await browser.get("/documents")
    for year in ("2024", "2025"):
        assert f"Année des revenus : {year}" in words(listed)


async def test_a_paper_held_already_says_that_it_is_as_before(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        await add(served, person, browser, a_photo(), type="eviction_notice")
        again = await add(
            served, person, browser, a_photo(), type="eviction_notice", due_on="2030-01-15"
        )
        page = await browser.get(again.headers["location"])
    assert "Le voici, comme avant." in page.text
    assert "15 janvier 2030" not in page.text


async def test_a_signature_is_told_of_once_and_what_others_get_never_two_ways(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, signed_pdfs.signed(corpus.pdf(1)), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    own = f"/v1/documents/{document['id']}"
    for given in (False, True):
        answer = await client.patch(own, headers=person.headers, json={"give_original": given})
        assert answer.status_code == 200
        async with browser_of(served, person) as browser:
            seen = (await browser.get(f"/documents/{document['id']}")).text
        async with browser_of(served, worker) as browser:
            read = (await browser.get(f"/pro/grants/{grant}")).text
        assert "Ce PDF porte une signature" not in seen
        assert "n’est plus valable" not in seen
        assert ("Nous avons retiré les détails cachés" in seen) is not given
        assert ("Les autres reçoivent une copie nettoyée" in seen) is not given
        assert ("Les autres reçoivent le fichier signé, tel quel." in seen) is given
        assert ("Vous recevez une copie nettoyée" in read) is not given
        assert ("Vous recevez le fichier signé, tel quel." in read) is given


async def test_what_was_typed_is_said_to_be_kept_only_where_it_is(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        refused = await add(served, person, browser, b"MZ" + b"\0" * 500, type="payslip")
        assert f"{CHOOSE_AGAIN} {KEPT}" in refused.text
        with served_with(served, max_vault_documents=0):
            full = await add(served, person, browser, a_photo(), type="payslip")
    assert "Plus de place" in full.text
    assert CHOOSE_AGAIN in full.text
    assert (KEPT in full.text) == ("/documents/add?type=payslip" in full.text)


def test_who_does_not_know_the_type_is_sent_to_one_of_the_list() -> None:
    assert by_code("other") is not None
    easy = type_names("other").fr.split(" (")[0]
    assert f"« {easy} »" in PAGE_MESSAGES["type_missing"].what_to_do


async def test_who_may_only_know_of_a_paper_stands_apart_from_who_sees_it(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, seeing, knowing = await make_person(), await make_worker(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        known = await granted(browser, person, knowing.headers, "payslip", actions=["attest"])
        page = (await browser.get(f"/documents/{paper['id']}")).text
        assert "Personne d’autre ne voit ce papier" in page
        seen = await granted(browser, person, seeing.headers, "payslip")
        page = (await browser.get(f"/documents/{paper['id']}")).text
    sees, _heading, knows = page.partition("Qui sait que vous avez ce papier, sans le voir")
    sees = sees.split("Qui voit ce papier")[1]
    assert (f"/grants/{seen}/stop" in sees, f"/grants/{known}/stop" in sees) == (True, False)
    assert (f"/grants/{seen}/stop" in knows, f"/grants/{known}/stop" in knows) == (False, True)


async def test_dates_are_corrected_in_three_fields_as_they_were_added(
    served: Served, make_person: MakePerson
) -> None:
    """A month alone gives its last day; a part alone is asked for, and nothing typed is lost."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        added = await add(
            served, person, browser, a_photo(), type="passport", expires_on="01/02/2031"
        )
        address = added.headers["location"].split("?")[0] + "/correct"
        shown = (await browser.get(address)).text
        values = re.findall(r'name="expires_on_(day|month|year)"[^>]* value="(\d*)"', shown)
        assert values == [("day", "01"), ("month", "02"), ("year", "2031")]
        token = await forms.token_for(served.services, person.token)
        fields = {"form": token, "type": "passport", "expires_on_month": "2"}
        refused = await browser.post(address, data=fields | {"issued_on_year": "2021"})
        assert refused.status_code == 422
        assert "Il manque le mois de la date." in words(refused)
        assert (
            'name="issued_on_year" inputmode="numeric" maxlength="4" value="2021"' in refused.text
        )
        far = await browser.post(address, data=fields | {"expires_on_year": "9" * 12})
        assert (far.status_code, "9" * 12 in far.text) == (422, True)
        kept = await browser.post(address, data=fields | {"expires_on_year": "2032"})
        assert kept.headers["location"].endswith("?done=corrected")
        paper = words(await browser.get(kept.headers["location"]))
        assert "29 février 2032" in paper
        # The page as it was before, opened in the hour of an upgrade.
        before = fields | {"expires_on": "2033-03-04"}
        wrong = await browser.post(address, data=before | {"issued_on": "31/31/2020"})
        assert wrong.status_code == 422
        assert re.search(r'name="expires_on_year"[^>]* value="2033"', wrong.text)
        await browser.post(address, data=before)
        assert "4 mars 2033" in words(await browser.get(kept.headers["location"]))
