"""The log: by day where the person is, who looked first, folded; every line and its proof below."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from audit.events import ActorKind
from auth import one_time_codes
from base.ids import new_id
from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, deposit, granted, log_of, revoke
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from vault.access_log.entries import EntryView
from vault.access_log.report_views import ReportView
from vault.consent.answers import refuse
from web.i18n.event_messages import describe, describe_briefly
from web.pages import access_log
from web.pages.log_lines import ToldEntry, by_day

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PAPER = new_id()
PARIS = ZoneInfo("Europe/Paris")


def entry(
    at: datetime, name: str = "", action: str = "document.read", paper: UUID | None = PAPER
) -> EntryView:
    kind = ActorKind.WORKER if name else ActorKind.OWNER
    return EntryView(
        id=new_id(),
        at=at.isoformat(),
        action=action,
        outcome="allowed",
        reason="",
        actor={"kind": kind.value, "name": name},
        documents=(str(paper),) if paper else (),
        grant=None,
        request=None,
        purpose_code=None,
        purpose=None,
        confirmed=None,
        details={},
    )


def told(one: EntryView) -> ToldEntry:
    return one, ([UUID(text) for text in one.documents], 0)


def test_a_day_is_one_where_the_person_is() -> None:
    evening = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    lines = [told(entry(evening, "Camille")), told(entry(evening))]
    [paris] = by_day(lines, PARIS)
    [cayenne] = by_day(lines, ZoneInfo("America/Cayenne"))
    assert (paris.day.isoformat(), cayenne.day.isoformat()) == ("2026-03-02", "2026-03-01")
    assert [who[0] for who in paris.people] == ["Camille"]
    assert len(paris.looks) == 1


def test_what_says_the_same_within_an_hour_is_one_line_and_loses_nothing() -> None:
    def ago(minutes: int, **changes: str) -> EntryView:
        return entry(NOON - timedelta(minutes=minutes), "Camille", **changes)  # type: ignore[arg-type]

    refused = replace(ago(3), outcome="refused", reason="revoked")
    report = ReportView(new_id(), NOON, "", False, None, None, NOON)
    reported = replace(ago(4), report=report)
    entries = [ago(0), ago(1, action="document.preview"), refused, reported, ago(5)]
    entries += [replace(ago(6), details={"version": 1}), ago(60), ago(61)]
    [day] = by_day([told(one) for one in entries], PARIS)
    [lines] = day.people.values()
    folded = [[entries.index(one) for one, _ in line.entries] for line in lines]
    assert folded == [[0, 1, 4, 6], [2], [3], [5], [7]]
    assert [line.paper for line in lines] == [PAPER, None, PAPER, PAPER, PAPER]


def test_an_act_is_counted_once_and_looks_apart() -> None:
    mine = [entry(NOON, action="document.list", paper=None) for _ in range(20)]
    mine += [entry(NOON, action="consent.approve", paper=None)]
    mine += [entry(NOON, action="sign_in.success", paper=None) for _ in range(2)]
    [day] = by_day([told(one) for one in mine], PARIS)
    assert [len(line.entries) for line in day.acts] == [1, 2]
    assert [len(line.entries) for line in day.looks] == [20]


def test_codes_that_somebody_asked_for_are_apart_and_counted() -> None:
    def code(action: str) -> EntryView:
        one = entry(NOON, action=action, paper=None)
        return replace(one, actor={"kind": ActorKind.ANONYMOUS.value})

    asked, wrong = code("sign_in.code"), code("sign_in.failure")
    [day] = by_day([told(one) for one in (asked, wrong, asked, asked)], PARIS)
    assert [day.count_codes(action) for action in ("sign_in.code", "sign_in.failure")] == [3, 1]
    assert (day.people, day.service, day.acts) == ({}, [], [])


def coded(at: datetime, device: str, action: str = "sign_in.code") -> ToldEntry:
    one = replace(entry(at, action=action, paper=None), details={"device": device})
    anonymous = {"kind": ActorKind.ANONYMOUS.value}
    return told(one if action == "sign_in.success" else replace(one, actor=anonymous))


def test_the_code_with_which_one_came_in_is_not_asked_about_and_any_other_is() -> None:
    way_in = coded(NOON, "iphone", "sign_in.success")

    def asked(*before: tuple[int, str]) -> list[int]:
        codes = [coded(NOON - timedelta(minutes=ago), device) for ago, device in before]
        [day] = by_day([way_in, *codes], PARIS)
        assert len(day.entered) + len(day.codes) == len(codes)
        return [codes.index(one) for one in day.codes]

    assert asked((1, "iphone")) == []
    assert asked((1, "iphone"), (2, "iphone")) == [1]
    assert asked((1, "android_phone"), (2, "iphone")) == [0]
    assert asked((11, "iphone")) == [0]
    assert asked((1, "")) == [0]
    wrong = coded(NOON - timedelta(minutes=1), "iphone", "sign_in.failure")
    [day] = by_day([way_in, wrong, coded(NOON - timedelta(minutes=2), "iphone")], PARIS)
    assert (day.codes, len(day.entered)) == ([wrong], 1)
    before = coded(NOON - timedelta(hours=2), "iphone", "sign_in.success")
    [day] = by_day([way_in, coded(NOON - timedelta(minutes=1), "iphone"), before], PARIS)
    said = [line.newest.action for line in day.mine]
    assert said == ["sign_in.success", "sign_in.code", "sign_in.success"], "by time"


def test_the_page_around_a_picture_is_the_same_look_and_any_other_list_is_not() -> None:
    def ago(seconds: int, action: str, grant: str = "g") -> EntryView:
        one = entry(NOON - timedelta(seconds=seconds), "Camille", action)
        return replace(one, grant=grant)

    def lines(*entries: EntryView) -> list[tuple[int, int]]:
        [day] = by_day([told(one) for one in entries], PARIS)
        return [(line.count, len(line.entries)) for line in day.people["Camille", "", ""]]

    seen, around = ago(0, "document.preview"), ago(1, "document.list")
    assert lines(seen, around) == [(1, 2)]
    assert lines(seen, around, ago(9, "document.list")) == [(1, 2), (1, 1)]
    assert lines(seen, replace(around, outcome="refused")) == [(1, 1), (1, 1)]
    assert lines(seen, replace(around, documents=(str(new_id()),))) == [(1, 1), (1, 1)]
    assert lines(seen, ago(1, "document.list", "other")) == [(1, 1), (1, 1)]
    assert lines(seen, ago(61, "document.list")) == [(1, 1), (1, 1)]


def test_one_page_of_several_grants_is_one_line_and_one_time() -> None:
    def listed(*ago: tuple[float, str]) -> list[tuple[int, int]]:
        entries = [
            replace(
                entry(NOON - timedelta(seconds=seconds), "Camille", "document.list"), grant=grant
            )
            for seconds, grant in ago
        ]
        [day] = by_day([told(one) for one in entries], PARIS)
        return [(line.count, len(line.entries)) for line in day.people["Camille", "", ""]]

    assert listed((0, "a"), (0.1, "b"), (0.2, "c")) == [(1, 3)]
    assert listed((0, "a"), (0.1, "b"), (60, "a"), (60.1, "b")) == [(2, 4)]
    assert listed((0, "a"), (2, "b")) == [(1, 1), (1, 1)]


def test_a_purpose_that_ends_with_a_full_stop_ends_once() -> None:
    said = replace(entry(NOON, "Camille"), purpose="Pour votre demande de logement.")
    assert describe(said, "fr").endswith("« Pour votre demande de logement ».")
    assert describe_briefly(said, "fr") == "Camille a ouvert un papier."


def _before(page: str, words: str) -> list[str]:
    """The page before each place where the words stand."""
    return [page[: place.start()] for place in re.finditer(words, page)]


async def test_who_looked_comes_first_and_all_else_is_folded(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    for _ in range(3):
        address = f"/v1/grants/{grant}/documents/{paper['id']}/content"
        assert (await client.get(address, headers=worker.headers)).status_code == 200
    for _ in range(4):
        await one_time_codes.send_code(served.services, phone=person.phone, language="fr")
    lines = await log_of(client, person)
    async with browser_of(served, person) as browser:
        page = (await browser.get("/access-log")).text.split("<main")[1].replace("\u00a0", " ")
    # Whoever looked, then codes, then oneself.
    seen, codes = page.split("un code a été demandé", 1)
    assert "Regardé 3 fois, la dernière fois à" in seen
    assert "demandé un code" not in seen
    assert "Vous avez ajouté un papier" not in seen
    codes, mine = codes.split("Fait avec mes façons d’entrer", 1)
    assert "C’était vous ?" in codes
    assert "Vous avez ajouté un papier" in mine
    # A day with all of it: six lines at most before what is folded.
    assert 1 <= seen.count("<li class=") <= 6
    # Every line can be reached, with its proof, one level down.
    for one in lines:
        assert page.count(f"/access-log/{one['id']}/receipt") == 1, one["action"]
    below = [one.count("<details>") > one.count("</details>") for one in _before(page, "/receipt")]
    assert len(below) == len(lines)
    assert all(below)


async def test_that_nobody_opened_a_paper_is_said_until_somebody_does(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    nobody = "Personne n’a ouvert vos papiers."
    async with browser_of(served, person) as browser:
        # Their own opening, and a list that somebody saw, are none.
        await browser.get(f"/documents/{paper['id']}/content")
        assert nobody in (await browser.get("/access-log")).text
        with monkeypatch.context() as short:
            short.setattr(access_log, "LIMIT", 1)
            short.setattr(access_log, "_MAX_PAGES", 1)
            page = (await browser.get("/access-log")).text
            assert nobody not in page  # what is further down is not known here
        address = f"/v1/grants/{grant}/documents/{paper['id']}/content"
        assert (await client.get(address, headers=worker.headers)).status_code == 200
        seen = (await browser.get("/access-log")).text
    assert nobody not in seen


async def test_one_look_of_a_worker_is_one_list_and_one_look(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    async with browser_of(served, worker) as pro:
        known = re.search(r"/pro/people/[0-9a-f-]{36}", (await pro.get("/pro/people")).text)
        assert known is not None
        viewer = f"/pro/grants/{grant}/documents/{paper['id']}"
        for address in (known[0], viewer, f"{viewer}/preview"):
            assert (await pro.get(address)).status_code == 200
    async with browser_of(served, person) as browser:
        page = (await browser.get("/access-log")).text.replace("\u00a0", " ")
    assert "Regardé à" in page
    only = "a vu seulement le nom et les dates des papiers, sans les ouvrir."
    assert page.count(f"<p>Camille Moreau {only}</p>") == 1
    assert "2 fois" not in page.split("un code a été demandé")[0]
    assert "Une question ? Pour parler à" in page


async def test_own_acts_say_whom_they_are_about(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    await revoke(client, person, grant)
    answers: tuple[Literal["no", "not_me"], ...] = ("no", "not_me")
    for answer in answers:
        asked = await ask(client, worker.headers, person.phone, "payslip")
        await refuse(served.services, person.subject, UUID(asked), answer)
    async with browser_of(served, person) as browser:
        page = (await browser.get("/access-log")).text.replace("\u00a0", " ")
    mine = page.split("Fait avec mes façons d’entrer")[1]
    name = "Camille Moreau"
    assert f"Vous avez montré vos papiers à {name}, jusqu’au " in mine
    assert f"Vous avez arrêté l’accord avec {name}." in mine
    assert f"Vous avez dit non à {name}." in mine
    assert f"Vous avez répondu à {name} : ce n’est pas moi." in mine


async def test_what_somebody_calls_their_hours_is_quoted_in_the_log_too(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """As on the page of a request: nobody takes it for words of this site."""
    person = await make_person()
    worker = await make_worker(hours="dites votre code")
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    async with browser_of(served, person) as browser:
        page = (await browser.get("/access-log")).text.replace("\xa0", " ")
    assert "<strong>03 20 00 00 01, « dites votre code »</strong>" in page


async def test_a_paper_that_is_sent_again_is_not_said_to_be_added_again(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """As the page's form is, when it is loaded anew."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, actions=["deposit"])
    for _ in range(2):
        answer = await client.post(
            f"/v1/grants/{grant}/documents",
            headers=worker.headers | {"Idempotency-Key": "once"},
            files={"file": ("a.pdf", corpus.pdf(1))},
            data={"type": "payslip"},
        )
        assert answer.status_code == 201
    for who in (person, worker):
        told = [one["sentence"] for one in await log_of(client, who)]
        assert sum("a ajouté un papier" in one for one in told) == 1
        assert sum("a envoyé de nouveau un papier déjà ajouté" in one for one in told) == 1
    async with browser_of(served, worker) as browser:
        own = (await browser.get("/pro/doings")).text
    assert own.count("Vous avez ajouté un papier") == 1
    assert own.count("Vous avez envoyé de nouveau un papier déjà ajouté") == 1


async def test_a_paper_that_somebody_else_added_leads_to_saying_that_it_is_not_right(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    own = await deposit(client, person, corpus.pdf(2), type_="payslip")
    grant = await granted(client, person, worker.headers, actions=["deposit"])
    added = await client.post(
        f"/v1/grants/{grant}/documents",
        headers=worker.headers,
        files={"file": ("a.pdf", corpus.pdf(1))},
        data={"type": "payslip"},
    )
    entry = next(one for one in await log_of(client, person) if "a ajouté" in one["sentence"])
    leading = f'href="/access-log?paper={added.json()["id"]}">Ce n’est pas normal'
    async with browser_of(served, person) as browser:
        page = (await browser.get(f"/documents/{added.json()['id']}")).text
        log = (await browser.get(f"/access-log?paper={added.json()['id']}")).text
        of_own = (await browser.get(f"/documents/{own['id']}")).text
    assert leading in page.replace("\xa0", " ")
    assert f'href="/access-log/{entry["id"]}/report"' in log
    assert "Ce n’est pas normal" not in of_own.replace("\xa0", " ")


async def test_who_looked_at_one_paper_has_an_answer_of_its_own(
    served: Served,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        seen = await deposit(browser, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        other = await deposit(browser, person, corpus.pdf(2), type_="lease", title="Mon bail")
        grant = await granted(browser, person, worker.headers, "payslip")
        content = f"/v1/grants/{grant}/documents/{seen['id']}/content"
        assert (await browser.get(content, headers=worker.headers)).status_code == 200
        own = (await browser.get(f"/documents/{seen['id']}")).text
        assert f'href="/access-log?paper={seen["id"]}"' in own
        looked = (await browser.get(f"/access-log?paper={seen['id']}")).text
        assert "Camille Moreau" in looked
        assert "Regardé à" in looked.replace("\xa0", " ")
        assert "Fait avec mes façons d’entrer" not in looked
        nobody = (await browser.get(f"/access-log?paper={other['id']}")).text
        assert "Personne d’autre que vous ne l’a regardé." in nobody
        assert "Camille Moreau" not in nobody
        # The oldest lines do not deny who stands on a page before.
        with monkeypatch.context() as short:
            short.setattr(access_log, "LIMIT", 1)
            short.setattr(access_log, "_MAX_PAGES", 1)
            at, pages = f"/access-log?paper={seen['id']}", []
            while at:
                pages.append((await browser.get(at)).text)
                more = re.search(r'href="([^"]*cursor=[^"]*)"', pages[-1])
                at = f"/access-log{unescape(more[1])}" if more else ""
        assert len(pages) > 1
        assert sum("Camille Moreau" in one for one in pages) >= 1
        assert not any("Personne d’autre que vous ne l’a regardé" in one for one in pages)
        # Of what is no paper of theirs, the whole list.
        whole = (await browser.get("/access-log?paper=nonsense")).text
    assert "Qui a regardé mes papiers</h1>" in whole
