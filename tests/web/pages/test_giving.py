"""Papers given unasked: nothing is ticked, the summary is read, and one yes is one grant."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.steps import deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_requests import grants_of
from vault import catalogue
from web.pages import forms

CHOSEN = {"purpose_code": "housing", "duration": "P7D"}


async def summary_of_gift(
    served: Served, browser: httpx.AsyncClient, person: SomePerson, fields: Pairs
) -> httpx.Response:
    token = await forms.token_for(served.services, person.token)
    chosen = [one for one in CHOSEN.items() if one[0] not in dict(fields)]
    return await send(browser, "/grants/new/check", [("form", token), *chosen, *fields])


async def test_papers_go_to_somebody_new_by_their_address(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        await deposit(browser, person, corpus.pdf(2), type_="payslip", title="Paie de juin")
        first = (await browser.get("/grants/new")).text
        assert " checked" not in first
        assert "Paie de juin" in first
        begun = (await browser.get(f"/grants/new?document={paper['id']}")).text
        assert f'value="{paper["id"]}" checked' in begun
        # The one they came from, though another is newer, and by its name above.
        assert begun.index(paper["id"]) < begun.index("Paie de juin")
        assert "<strong>Paie de mai</strong></p>" in begun
        said: Pairs = [("document", paper["id"]), ("email", worker.email)]
        page = await summary_of_gift(served, browser, person, said)
        assert f"Vous allez montrer 1 papier à {worker.email}" in page.text
        assert "Camille Moreau" not in page.text
        assert "Paie de juin" not in page.text
        fields = yes_of(page.text, "/grants/new")
        for _ in range(2):
            done = await send(browser, "/grants/new", fields)
            assert done.headers["location"].startswith("/grants?done=given&of=")
        said_so = (await browser.get(done.headers["location"])).text
        assert "Camille Moreau peut voir : Paie de mai, jusqu’au" in said_so.replace("\xa0", " ")
        assert said_so.count(">Nouveau<") == 1
        [grant] = await grants_of(browser, person)
    assert grant["scope"] == {
        "document_types": [],
        "document_ids": [paper["id"]],
        "actions": ["read"],
    }


async def test_somebody_of_before_is_chosen_by_name(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        await granted(browser, person, worker.headers, "payslip")
        address = f"/grants/new/who?document={paper['id']}&purpose_code=housing&duration=P7D"
        assert "Camille Moreau" in (await browser.get(address)).text
        [before] = await grants_of(browser, person)
        known = str(worker.subject.id)
        who = (await browser.get(address)).text
        assert f'value="{known}"' in who, before
        assert who.index("lui montrer un code") < who.index("Son e-mail professionnel")
        said: Pairs = [("document", paper["id"]), ("worker", known), ("duration", "P6M")]
        page = await summary_of_gift(served, browser, person, said)
        assert "1 papier à Camille Moreau" in page.text
        # What she sees already is said before the yes, and that it stays.
        above = page.text.split("Oui, montrer")[0]
        assert "Camille Moreau voit déjà, jusqu’au" in above
        assert "fiche de paie" in above.split("voit déjà")[1]
        assert "Cela ne change pas." in above
        stranger: Pairs = [("document", paper["id"]), ("email", worker.email)]
        told = await summary_of_gift(served, browser, person, stranger)
        assert "voit déjà" not in told.text, "an address does not say whose it is"
        fields = yes_of(page.text, "/grants/new")
        done = await send(browser, "/grants/new", fields)
        assert done.status_code == 303
        assert len(await grants_of(browser, person)) == 2
        said_so = (await browser.get(done.headers["location"])).text
    # The paper and its end first; then what stops it, and all of it.
    card = said_so.split('<section class="card">', 1)[1].split("</section>")[0]
    assert card.rindex("Jusqu’au") < card.index("Ne plus rien montrer à")
    assert "Ce que cette personne pouvait déjà faire ne change pas" in said_so
    assert "accords" not in said_so


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"document": ""}, "Vous n’avez choisi aucun papier"),
        ({"purpose_code": ""}, "Vous n’avez pas choisi de raison"),
        ({"purpose_code": "nonsense"}, "Vous n’avez pas choisi de raison"),
        ({"duration": ""}, "Vous n’avez pas choisi de date"),
        ({"duration": "P99Y"}, "Vous n’avez pas choisi de date"),
        ({"email": ""}, "Vous n’avez pas dit à qui"),
        ({"email": "camille"}, "Cet e-mail n’a pas la bonne forme"),
        ({"worker": "01890000-0000-7000-8000-000000000000", "email": ""}, "pas dit à qui"),
    ],
)
async def test_what_was_left_without_an_answer_is_asked_again(
    served: Served, make_person: MakePerson, change: dict[str, str], words: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        said = {"document": paper["id"], **CHOSEN, "email": "camille@exemple.fr"} | change
        page = await summary_of_gift(served, browser, person, list(said.items()))
    assert page.status_code == 422
    assert words in page.text
    assert 'action="/grants/new"' not in page.text


async def test_an_address_that_nobody_has_is_told_at_the_field(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        said: Pairs = [("document", paper["id"]), ("email", "personne@exemple.fr")]
        page = await summary_of_gift(served, browser, person, said)
        answer = await send(browser, "/grants/new", yes_of(page.text, "/grants/new"))
    assert answer.status_code == 422
    assert 'href="#email">Personne n’a cet e-mail ici.' in answer.text
    assert 'value="personne@exemple.fr"' in answer.text


async def test_papers_of_a_longer_list_keep_their_ticks(
    served: Served, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.grant_steps._LIMIT", 1)
    person = await make_person()
    async with browser_of(served, person) as browser:
        first, second = [
            await deposit(browser, person, corpus.pdf(n), type_="payslip") for n in (1, 2)
        ]
        page = (await browser.get("/grants/new")).text
        assert second["id"] in page
        assert first["id"] not in page
        cursor = page.split('name="cursor" value="')[1].split('"')[0]
        ticked = {"document": second["id"], "cursor": cursor}
        page = (await browser.get("/grants/new", params=ticked)).text
    assert f'value="{second["id"]}" checked' in page
    assert f'name="document" value="{first["id"]}">' in page


async def test_a_name_and_an_address_are_one_too_many(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, other = await make_person(), await make_worker(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        await granted(browser, person, worker.headers, "payslip")
        said: Pairs = [("document", paper["id"]), ("email", other.email)]
        known = ("worker", str(worker.subject.id))
        page = await summary_of_gift(served, browser, person, [*said, known])
        assert page.status_code == 422
        assert 'href="#email">Vous avez coché une personne, et aussi écrit un e-mail.' in page.text
        assert f'value="{other.email}"' in page.text
        token = ("form", await forms.token_for(served.services, person.token))
        sent = await send(browser, "/grants/new", [token, *CHOSEN.items(), *said, known])
        assert sent.status_code == 422
        assert len(await grants_of(browser, person)) == 1
        # « Une autre personne » and her address are one answer.
        page = await summary_of_gift(served, browser, person, [*said, ("worker", "other")])
        assert f"1 papier à {other.email}" in page.text


async def test_who_sees_a_paper_for_longer_is_said_above_the_yes_and_may_be_stopped_by_it(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, other = await make_person(), await make_worker(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        lease = await deposit(browser, person, corpus.pdf(2), type_="lease")
        for to in (worker, other):
            await granted(browser, person, to.headers, "payslip", duration="P3M")
        before = {one["recipient"]["id"]: one["id"] for one in await grants_of(browser, person)}
        known = str(worker.subject.id)
        # Another paper, or a later day: the old one does not go beyond it, and nothing is said.
        for chosen in ({"document": lease["id"]}, {"document": paper["id"], "duration": "P6M"}):
            said = list(chosen.items())
            page = await summary_of_gift(served, browser, person, [*said, ("worker", known)])
            assert "Attention" not in page.text
        # « Changer la date », on the paper's own page, leads to the days: it is chosen already.
        own = (await browser.get(f"/documents/{paper['id']}")).text
        change = f"worker={known}&amp;stop={before[known]}"
        assert change in own
        assert own.count("Changer la date") == 2
        said = [("document", paper["id"]), ("worker", known)]
        page = await summary_of_gift(served, browser, person, [*said, ("stop", before[known])])
        assert 'name="longer" value="stop" checked' in page.text
        page = await summary_of_gift(served, browser, person, said)
        # Under the title, before all else; without a choice nothing is given.
        above = page.text.split("<dl")[0].replace("\xa0", " ")
        assert "Camille Moreau voit déjà, jusqu’au" in above.split("</h1>")[1]
        assert "accord" not in above
        assert (above.count('name="longer"'), above.count(" checked")) == (2, 0)
        fields = yes_of(page.text, "/grants/new")
        assert "longer" not in dict(fields)
        for unsaid in ([], [("longer", "both")], [("stop", before[known])]):
            asked = await send(browser, "/grants/new", [*fields, *unsaid])
            assert asked.status_code == 422
            assert 'href="#longer">Vous n’avez pas choisi' in asked.text.replace("\xa0", " ")
        assert len(await grants_of(browser, person)) == 2
        # Another's grant is not stopped by it, whatever is sent.
        ticked = [("longer", "stop"), ("stop", before[str(other.subject.id)])]
        done = await send(browser, "/grants/new", [*fields, *ticked])
        assert done.status_code == 303, done.text
        states = {one["id"]: one["state"] for one in await grants_of(browser, person)}
    assert states[before[known]] == "revoked"
    assert states[before[str(other.subject.id)]] == "live"
    assert list(states.values()).count("live") == 2


async def test_an_old_grant_that_ended_meanwhile_is_read_again(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        await granted(browser, person, worker.headers, "payslip", duration="P3M")
        [before] = await grants_of(browser, person)
        said: Pairs = [("document", paper["id"]), ("worker", str(worker.subject.id))]
        page = await summary_of_gift(served, browser, person, said)
        await browser.post(f"/v1/grants/{before['id']}/revoke", headers=person.headers)
        fields = [*yes_of(page.text, "/grants/new"), ("longer", "stop")]
        again = await send(browser, "/grants/new", fields)
        assert "a changé" in again.text
        assert len(await grants_of(browser, person)) == 1


async def test_what_goes_with_it_is_named_as_in_the_list_and_may_be_left(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Of papers by their type too: not what was added later, which is not shown."""
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        pay = await deposit(browser, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        await deposit(browser, person, corpus.pdf(2), type_="lease", title="Bail de la rue Basse")
        await granted(browser, person, worker.headers, "payslip", "lease", duration="P3M")
        await deposit(browser, person, corpus.pdf(3), type_="lease", title="Bail tout neuf")
        said: Pairs = [("document", pay["id"]), ("worker", str(worker.subject.id))]
        page = await summary_of_gift(served, browser, person, said)
        text = page.text.split("<dl")[0].split("</h1>")[1].replace("\xa0", " ")
        stop, keep = text.split('value="stop"')[1].split('value="keep"')
        after, now = stop.split("Dès maintenant")
        assert "Camille Moreau" in after
        assert "ne verra plus : " in after
        assert "Paie de mai" in after
        assert "Bail de la rue Basse" in now
        assert "Paie de mai" not in now
        assert "Paie de mai" in keep
        assert "Bail de la rue Basse" in keep
        assert "Bail tout neuf" not in text
        fields = yes_of(page.text, "/grants/new")
        done = await send(browser, "/grants/new", [*fields, ("longer", "keep")])
        assert done.status_code == 303, done.text
        assert [one["state"] for one in await grants_of(browser, person)] == ["live", "live"]


async def test_what_another_grant_shows_still_is_not_said_to_be_lost(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        pay = await deposit(browser, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        lease = await deposit(browser, person, corpus.pdf(2), type_="lease", title="Mon bail")
        both = [pay["id"], lease["id"]]
        await granted(browser, person, worker.headers, document_ids=both, duration="P3M")
        other = await granted(browser, person, worker.headers, document_ids=[lease["id"]])
        said: Pairs = [("document", pay["id"]), ("worker", str(worker.subject.id))]
        page = await summary_of_gift(served, browser, person, said)
        assert "ne verra plus : " in page.text.replace("\xa0", " ")
        assert "Dès maintenant" not in page.text
        await browser.post(f"/v1/grants/{other}/revoke", headers=person.headers)
        # That somebody else sees it, or that this one knows of it, shows them nothing.
        one, somebody = [lease["id"]], await make_worker()
        await granted(browser, person, somebody.headers, document_ids=one)
        await granted(browser, person, worker.headers, document_ids=one, actions=["attest"])
        page = await summary_of_gift(served, browser, person, said)
        assert "Mon bail" in page.text.split("Dès maintenant")[1].split("</label>")[0]


async def test_the_general_reason_is_the_first_and_the_chosen_paper_goes_on_at_once(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        assert "Laisser quelqu’un voir ce papier" in (
            await browser.get(f"/documents/{paper['id']}")
        ).text.replace("\xa0", " ")
        why = (await browser.get(f"/grants/new/why?document={paper['id']}")).text
        first = (await browser.get("/grants/new")).text
        begun = (await browser.get(f"/grants/new?document={paper['id']}")).text
    reasons = re.findall(r'name="purpose_code" value="([a-z_]+)"', why)
    assert (reasons[0], reasons[-1]) == ("social_follow_up", "other")
    assert len(reasons) == len(catalogue.purposes())
    # Nothing chosen: below the list; one chosen: above it too. A code for who is there comes last.
    assert (first.count(">Continuer<"), begun.count(">Continuer<")) == (1, 2)
    assert begun.index(">Continuer<") < begun.index("<fieldset")
    assert begun.rindex(">Continuer<") < begun.index("La personne est devant moi")


async def test_who_sees_what_is_said_in_sentences(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        await granted(browser, person, worker.headers, document_ids=[paper["id"]])
        one = (await browser.get("/grants")).text.replace("\xa0", " ")
        # Of a sort there may be several.
        await granted(browser, person, worker.headers, "payslip")
        two = (await browser.get("/grants")).text.replace("\xa0", " ")
    assert "<p>Peut voir ce papier :</p>" in one
    assert "Pourquoi : " in one
    assert "<li>voir" not in one + two
    assert "<p>Peut voir ces papiers :</p>" in two


@pytest.mark.parametrize(
    ("actions", "heading", "after"),
    [
        (["read", "deposit"], "Peut voir ces papiers :", "Peut aussi ajouter des papiers"),
        (["deposit"], "Peut ajouter ces papiers pour vous :", ""),
        (["attest"], "Peut savoir si vous avez ces papiers, et leurs dates, sans les voir :", ""),
    ],
)
async def test_a_list_of_papers_follows_what_says_what_it_is(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    actions: list[str],
    heading: str,
    after: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip", "lease", actions=actions)
    async with browser_of(served, person) as browser:
        page = (await browser.get("/grants")).text.replace("\xa0", " ")
    told = page.split('<ul class="papers">')[1]
    following = re.match(
        r"\s*<ul>\s*<li>(?s:.*?)</ul>\s*(<p>[^<]*)", told.split(f"{heading}</p>")[1]
    )
    assert following, "the list comes next"
    assert after in following[1]
    assert ("ajouter" in told.split("</ul>")[1]) is bool(after)
