"""What holds something of a person asks every proxy to pass it on as it comes, on every route."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import httpx
from starlette.routing import BaseRoute

from auth import administration
from tests.audit.tlog.logs import EAGER
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker, new_phone
from tests.invitations import looked_at
from tests.joins import joined
from tests.mandates import authorisation, signed
from tests.meetings import met
from tests.recoveries import tied
from tests.representations import answered as represents
from tests.steps import deposit, drawn, granted, log_of, until
from tests.trusted import trusted
from tests.uploads import TUS, begin, id_of
from tests.vault.decoding import corpus
from tests.vault.exports import import_steps as imports
from tests.vault.exports import steps as exports
from tests.web.pages.draft_steps import draft_of, pictures_of, send
from tests.web.pages.test_pages import a_photo, browser_of
from vault.consent.receipt_codes import code_of
from web.app import bare_app
from web.pages import cookies, forms
from web.process.sequencer import run_sequencer

# Nothing of a person: the same for everybody, or nothing at all.
PUBLIC = {
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/healthz",
    "/jwks.json",
    "/log/checkpoint",
    "/log/tile/{path:path}",
    "/log/vkey",
    "/problems",
    "/problems/{code}",
    "/v1/openapi.json",
    "/v1/receipt-keys",
    "/v1/document-types",
    "/static/{fingerprint}/{name:path}",
    "/service-worker.js",
    "/manifest.webmanifest",
    "/voices/{name}",
    "/{address:elsewhere}",
}
# Pages of a visit that has not begun.
BEFORE_A_SESSION = {"/sign-in/{sign_in_id}", "/pro/sign-in/{sign_in_id}", "/language/{language}"}
BEFORE_A_SESSION |= {"/language", "/quick-exit", "/styles", "/offline"}
BEFORE_A_SESSION |= {"/stop-recovery"}
BEFORE_A_SESSION |= {"/second-language/{language}", "/card/{step_id}"}
OF_WORKERS = (
    "/pro",
    "/v1/organisation",
    "/v1/people",
    "/v1/grants/{grant_id}/documents",
    "/v1/grants/{grant_id}/evidence",
    "/v1/mandates/{mandate_id}/sheet.pdf",
)
_CHOSEN = "?document={document_id}&purpose_code=housing&duration=P7D"
_KNOWN = f"{_CHOSEN}&worker={{worker_id}}"
QUERIES = {"why": _CHOSEN, "until": _CHOSEN, "who": _CHOSEN}
QUERIES |= {"/grants/new/check": _KNOWN}
"""The steps of a grant: a page with nothing chosen before it asks for that again."""
QUERIES |= {"evidence": "?type=income_tax_notice", "activity": "?month=2026-01"}
HOME = {"/", "/pro", "/pro/grants", "/requests/{request_id}/add", "/me/means/{means_id}/free"}
HOME |= {
    "/pro/desk/vault/{step}",
    "/pro/grants/{grant_id}/add/dates",
    "/pro/grants/{grant_id}/add/check",
    "/mandates/{mandate_id}",
    "/me/anchor/remove",
    "/trusted/{naming_id}",
    "/me/protection/remove",
    "/represented/{representation_id}",
}
HOME |= {"/failed", "/pro/failed", "/me/cards/ready"}
HOME |= {f"/pro/desk/vault/{step}" for step in ("anchor", "opened", "pin", "turn")}
HOME |= {f"/pro/desk/recovery/{step}" for step in ("language", "{step}")}
HOME |= {
    f"/pro/desk/recovery/{step}"
    for step in ("agree", "left", "noted", "opened", "phone", "pin", "who")
}
"""Who has a session is sent on from there."""


def paths_of(routes: Iterable[BaseRoute]) -> Iterator[str]:
    """Every path that is read, as declared."""
    for route in routes:
        inner: Any = getattr(route, "original_router", None)
        if inner is not None:
            yield from paths_of(inner.routes)
        elif "GET" in (getattr(route, "methods", None) or ()):
            yield str(getattr(route, "path", ""))


def every_path() -> set[str]:
    return set(paths_of(bare_app().routes))


def test_the_public_paths_exist() -> None:
    assert every_path() >= PUBLIC | BEFORE_A_SESSION


async def test_whatever_holds_something_of_a_person_is_passed_on_as_it_comes(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    structure = worker.organisation_id
    await administration.let_open_vaults(served.services, structure, allowed=True)
    values = await something_of_each(served, client, person, worker)
    values["worker_id"] = str(worker.subject.id)
    values["join_id"] = await joined(client, await make_person(), person)
    values["naming_id"] = await trusted(client, person, await make_person())
    values["representation_id"] = await represents(client, person, await make_person())
    values["export_id"] = (await exports.made(client, person))["id"]
    values["import_id"] = (await imports.sent(client, person, b"no zip")).json()["id"]
    await tied(served.services, person.id, (await make_person()).id)
    asked = await tied(served.services, (await make_person()).id, person.id)
    values["recovery_id"] = str(asked)
    async with run_sequencer(served.services, EAGER):
        proof = f"/v1/access-log/{values['event_id']}/proof"
        await until(lambda: _is_ready(client, proof, person.headers), seconds=20)
        for path in sorted(every_path() - PUBLIC - BEFORE_A_SESSION):
            who = worker if path.startswith(OF_WORKERS) else person
            kind: cookies.CookieKind = "worker" if who is worker else "person"
            cookie = f"{cookies.name_of(served.services.settings, kind)}={who.token}"
            headers = who.headers | TUS if path.startswith("/v1") else {"Cookie": cookie}
            query = QUERIES.get(path, QUERIES.get(path.rpartition("/")[2], ""))
            url = (path + query).format(**values)
            answer = await client.get(url, headers=headers)
            assert answer.status_code == (303 if path in HOME else 200), path
            assert answer.headers.get("cache-control") == "no-store", path
            assert answer.headers.get("x-accel-buffering") == "no", path


async def test_so_is_what_is_answered_to_a_change_and_what_is_refused(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    files = {"file": ("a.pdf", corpus.pdf(1))}
    form = {"type": "income_tax_notice"}
    made = await client.post("/v1/documents", headers=person.headers, files=files, data=form)
    unknown = await client.get("/v1/documents/none", headers=person.headers)
    for answer in (made, unknown, await client.get("/v1/documents")):
        assert answer.headers["x-accel-buffering"] == "no"


async def test_what_everybody_may_keep_does_not_ask_for_it(client: httpx.AsyncClient) -> None:
    page = await client.get("/pro")
    sheet = page.text.split('<link rel="stylesheet" href="')[1].split('"')[0]
    answer = await client.get(sheet)
    assert "immutable" in answer.headers["cache-control"]
    assert "x-accel-buffering" not in answer.headers


async def something_of_each(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> dict[str, str]:
    """What the paths name: a paper with its preview, a request, a grant, a line of the log."""
    document = await deposit(client, person, corpus.pdf(1))
    await drawn(served.services, person, document)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    requests = await client.get("/v1/consent-requests", headers=person.headers)
    people = await client.get("/v1/people", headers=worker.headers)
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo())
        (picture,) = pictures_of(await browser.get(draft_of(sent) + "/check"))
        token = await forms.token_for(served.services, person.token)
        begun = await browser.post("/me/phone", data={"form": token, "phone": new_phone()})
    means = await client.get("/v1/me/means", headers=person.headers)
    return {
        "number": "1",
        "sign_in_id": begun.headers["location"].rpartition("/")[2],
        "means_id": means.json()["items"][0]["id"],
        "step": "card",
        "draft_id": draft_of(sent).rpartition("/")[2],
        "picture_id": picture.rpartition("/")[2],
        "person_id": people.json()["items"][0]["id"],
        "document_id": document["id"],
        "grant_id": grant,
        "mandate_id": (await signed(client, worker, person, authorisation("lease")))["id"],
        "meeting_id": await met(client, worker, person),
        "invitation_id": await looked_at(client, worker, person),
        "code": await code_of(served.services, UUID(grant)),
        "event_id": (await log_of(client, person))[0]["id"],
        "request_id": requests.json()["items"][0]["id"],
        "upload_id": id_of((await begin(client, person, 9)).headers["location"]),
    }


async def _is_ready(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> bool:
    return (await client.get(url, headers=headers)).status_code == 200
