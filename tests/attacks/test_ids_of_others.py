"""Invariants 7 and 9: ids of others, unknown ids and malformed ids get the same 404 everywhere;
only the person deletes or changes what is in their vault."""

import json
import time
from statistics import median
from typing import Any

import httpx
import pytest

from tests.fixtures import MakeClient, MakePerson, MakeWorker
from tests.invitations import looked_at
from tests.joins import ask_join
from tests.mandates import prepare
from tests.meetings import answered
from tests.recoveries import tied
from tests.representations import answered as represents
from tests.steps import ask, client_headers, deposit, granted, log_of
from tests.trusted import answered_naming
from tests.uploads import STREAM, TUS, begin, id_of
from tests.vault.decoding import corpus
from tests.vault.exports.import_steps import sent
from tests.vault.exports.steps import begun
from vault.services import Services

UNKNOWN = "01890000-0000-7000-8000-000000000001"
MALFORMED = ["1", "null", "%00", UNKNOWN + "0", UNKNOWN.replace("-", ""), "é", "a" * 3000,
             "%7B" + UNKNOWN + "%7D", "%2e%2e", ".."]  # fmt: skip
PDF = corpus.pdf(1)

PERSON_PATHS = [
    ("GET", "/v1/documents/{document}"),
    ("PATCH", "/v1/documents/{document}"),
    ("DELETE", "/v1/documents/{document}"),
    ("POST", "/v1/documents/{document}/restore"),
    ("POST", "/v1/documents/{document}/versions"),
    ("GET", "/v1/documents/{document}/content"),
    ("GET", "/v1/documents/{document}/preview"),
    ("GET", "/v1/documents/{document}/sheet.pdf"),
    ("GET", "/v1/consent-requests/{request}"),
    ("GET", "/v1/consent-requests/{request}/sheet.pdf"),
    ("POST", "/v1/consent-requests/{request}/approve"),
    ("POST", "/v1/consent-requests/{request}/refuse"),
    ("GET", "/v1/grants/{grant}"),
    ("GET", "/v1/grants/{grant}/receipt"),
    ("GET", "/v1/grants/{grant}/receipt.pdf"),
    ("POST", "/v1/grants/{grant}/revoke"),
    ("GET", "/v1/mandates/{mandate}"),
    ("GET", "/v1/mandates/{mandate}/signed"),
    ("POST", "/v1/mandates/{mandate}/sign"),
    ("POST", "/v1/mandates/{mandate}/go-on"),
    ("GET", "/v1/meetings/{meeting}"),
    ("POST", "/v1/meetings/{meeting}/confirm"),
    ("GET", "/v1/assisted-sessions/invitations/{invitation}"),
    ("POST", "/v1/assisted-sessions/invitations/{invitation}/confirm"),
    ("GET", "/v1/me/joins/{join}"),
    ("POST", "/v1/me/joins/{join}/yes"),
    ("GET", "/v1/me/joins/{join}/access-log"),
    ("POST", "/v1/me/recoveries/{recovery}/stop"),
    ("POST", "/v1/trusted/{naming}/accept"),
    ("DELETE", "/v1/trusted/{naming}"),
    ("DELETE", "/v1/representations/{representation}"),
    ("GET", "/v1/access-log/{event}"),
    ("POST", "/v1/access-log/{event}/report"),
    ("DELETE", "/v1/sessions/{session}"),
    ("GET", "/v1/uploads/{upload}"),
    ("PATCH", "/v1/uploads/{upload}"),
    ("DELETE", "/v1/uploads/{upload}"),
    ("GET", "/v1/me/exports/{export}"),
    ("GET", "/v1/me/exports/{export}/content"),
    ("DELETE", "/v1/me/exports/{export}"),
    ("GET", "/v1/me/imports/{import}"),
    ("PATCH", "/v1/me/imports/{import}"),
    ("POST", "/v1/me/imports/{import}/yes"),
    ("DELETE", "/v1/me/imports/{import}"),
]
RECIPIENT_PATHS = [
    ("GET", "/v1/consent-requests/{request}"),
    ("POST", "/v1/consent-requests/{request}/withdraw"),
    ("GET", "/v1/grants/{grant}"),
    ("POST", "/v1/grants/{grant}/give-back"),
    ("GET", "/v1/grants/{grant}/receipt"),
    ("GET", "/v1/grants/{grant}/receipt.pdf"),
    ("GET", "/v1/grants/{grant}/documents"),
    ("GET", "/v1/grants/{grant}/documents/{document}/content"),
    ("GET", "/v1/grants/{grant}/documents/{document}/preview"),
    ("GET", "/v1/grants/{grant}/evidence?type=payslip"),
    ("POST", "/v1/grants/{grant}/documents"),
]


@pytest.fixture
async def ids_of_another(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> dict[str, str]:
    """Ids that exist and belong to somebody else."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF, type_="payslip")
    request = await ask(client, worker.headers, person.phone, "payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    event = (await log_of(client, person))[0]["id"]
    session = str(person.subject.session_id)
    upload = (await begin(client, person, len(PDF), first=PDF[:10])).headers["location"]
    return {
        "document": document["id"],
        "request": request,
        "grant": grant,
        "event": event,
        "session": session,
        "mandate": (await prepare(client, worker, person))["id"],
        "meeting": await answered(client, worker, person),
        "invitation": await looked_at(client, worker, person),
        "naming": (await answered_naming(client, await make_person(), person))["id"],
        "recovery": str(await tied(person.services, (await make_person()).id, person.id)),
        "representation": await represents(client, await make_person(), person),
        "join": (await ask_join(client, person)).json()["id"],
        "upload": id_of(upload),
        "export": (await begun(client, person))["id"],
        "import": (await sent(client, person, PDF)).json()["id"],
    }


def _fill(path: str, ids: dict[str, str], with_: str | None) -> str:
    for name, value in ids.items():
        path = path.replace("{" + name + "}", with_ or value)
    return path


async def _answer(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body, without what differs between any two answers."""
    arguments: dict[str, Any] = {}
    if path.startswith("/v1/uploads") or (method == "PATCH" and "/imports/" in path):
        headers = headers | TUS | STREAM | {"Upload-Offset": "10"}
        arguments["content"] = PDF[10:]
    elif method == "PATCH":
        arguments["json"] = {"title": "x"}
    if path.endswith("/sign"):
        arguments["json"] = {"document_id": UNKNOWN, "authorisations": [UNKNOWN]}
    if path.endswith("/confirm"):
        arguments["json"] = {"agree": True}
    if path.endswith(("/versions", "/documents")) and method == "POST":
        arguments = {"files": {"file": PDF}, "data": {"type": "payslip"}}
    answer = await client.request(method, path, headers=headers, **arguments)
    passing = {"x-request-id", "date", "content-length"}
    shown = {name: value for name, value in answer.headers.items() if name not in passing}
    body = answer.json()
    body.pop("request_id")
    return answer.status_code, shown, body


def _ways(paths: list[tuple[str, str]]) -> list[Any]:
    return [pytest.param(method, path, id=f"{method} {path}") for method, path in paths]


@pytest.mark.parametrize(("method", "path"), _ways(PERSON_PATHS))
async def test_a_person_learns_nothing_of_other_ids(
    method: str,
    path: str,
    ids_of_another: dict[str, str],
    client: httpx.AsyncClient,
    make_person: MakePerson,
) -> None:
    stranger = await make_person()
    others = await _answer(client, method, _fill(path, ids_of_another, None), stranger.headers)
    assert others[0] == 404
    for one in (UNKNOWN, *MALFORMED[:6]):
        unknown = await _answer(client, method, _fill(path, ids_of_another, one), stranger.headers)
        assert unknown == others, one


@pytest.mark.parametrize(("method", "path"), _ways(RECIPIENT_PATHS))
@pytest.mark.parametrize("who", ["worker", "client"])
async def test_a_recipient_learns_nothing_of_other_ids(
    method: str,
    path: str,
    who: str,
    ids_of_another: dict[str, str],
    client: httpx.AsyncClient,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    headers = (
        (await make_worker()).headers
        if who == "worker"
        else await client_headers(client, await make_client())
    )
    others = await _answer(client, method, _fill(path, ids_of_another, None), headers)
    assert others[0] == 404
    for one in (UNKNOWN, "1", "%00", "é"):
        assert await _answer(client, method, _fill(path, ids_of_another, one), headers) == others, (
            one
        )


@pytest.mark.parametrize("malformed", MALFORMED)
async def test_a_malformed_id_is_the_same_404_and_never_a_failure(
    malformed: str, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    answer = await client.get(f"/v1/documents/{malformed}/content", headers=person.headers)
    unknown = await client.get(f"/v1/documents/{UNKNOWN}/content", headers=person.headers)
    assert answer.status_code == 404
    if malformed not in MALFORMED[-2:]:
        assert _without_id(answer) == _without_id(unknown)


async def test_a_document_of_another_vault_under_ones_own_grant(
    ids_of_another: dict[str, str],
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """A good grant opens its own vault only, even when the other's type is in its scope."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip")
    for kind in ("content", "preview"):
        mixed = await client.get(
            f"/v1/grants/{grant}/documents/{ids_of_another['document']}/{kind}",
            headers=worker.headers,
        )
        unknown = await client.get(
            f"/v1/grants/{grant}/documents/{UNKNOWN}/{kind}", headers=worker.headers
        )
        assert mixed.status_code == unknown.status_code == 404
        assert _without_id(mixed) == _without_id(unknown)
    entries = await log_of(client, person)
    assert ids_of_another["document"] not in json.dumps(entries)


async def test_an_unknown_id_takes_as_long_as_anothers(
    ids_of_another: dict[str, str], client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    """Both are judged, recorded and committed: no large difference in time."""
    worker = await make_worker()
    taken: dict[str, list[float]] = {UNKNOWN: [], ids_of_another["grant"]: []}
    for _ in range(40):
        for grant, times in taken.items():
            began = time.perf_counter()
            answer = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
            times.append(time.perf_counter() - began)
            assert answer.status_code == 404
    unknown, known = (median(times) for times in taken.values())
    assert 1 / 3 < unknown / known < 3


OF_WORKERS = [
    ("GET", "/v1/assisted-sessions/invitations/{invitation}"),
    ("DELETE", "/v1/assisted-sessions/invitations/{invitation}"),
    ("POST", "/v1/assisted-sessions/invitations/{invitation}/enter"),
]


@pytest.mark.parametrize(("method", "path"), _ways(OF_WORKERS))
async def test_a_worker_learns_nothing_of_other_ids(
    method: str,
    path: str,
    ids_of_another: dict[str, str],
    client: httpx.AsyncClient,
    make_worker: MakeWorker,
) -> None:
    headers = (await make_worker()).headers
    others = await _answer(client, method, _fill(path, ids_of_another, None), headers)
    assert others[0] == 404
    for one in (UNKNOWN, "1", "%00", "é"):
        assert await _answer(client, method, _fill(path, ids_of_another, one), headers) == others


CHANGES = [
    ("PATCH", "/v1/documents/{document}"),
    ("DELETE", "/v1/documents/{document}"),
    ("POST", "/v1/documents/{document}/versions"),
    ("POST", "/v1/documents/{document}/restore"),
    ("DELETE", "/v1/me"),
    ("POST", "/v1/documents"),
    ("POST", "/v1/grants"),
    ("POST", "/v1/grants/{grant}/revoke"),
    ("GET", "/v1/consent-requests/{request}/sheet.pdf"),
    ("POST", "/v1/consent-requests/{request}/approve"),
    ("POST", "/v1/consent-requests/{request}/refuse"),
]
NOT_THERE = [
    ("DELETE", "/v1/grants/{grant}/documents/{document}"),
    ("PATCH", "/v1/grants/{grant}/documents/{document}"),
    ("PUT", "/v1/grants/{grant}/documents/{document}/content"),
    ("DELETE", "/v1/grants/{grant}/documents/{document}/content"),
    ("DELETE", "/v1/grants/{grant}"),
    ("DELETE", "/v1/access-log"),
    ("DELETE", "/v1/access-log/{event}"),
    ("PATCH", "/v1/access-log/{event}"),
]


@pytest.mark.parametrize("who", ["worker", "client"])
async def test_only_the_person_deletes_or_changes(
    who: str,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    """A recipient granted every action tries every address that changes something."""
    person = await make_person()
    headers = (
        (await make_worker()).headers
        if who == "worker"
        else await client_headers(client, await make_client())
    )
    actions = ["attest", "read", "deposit"]
    request = await ask(client, headers, person.phone, "payslip", actions=actions)
    grant = await granted(client, person, headers, "payslip", actions=actions)
    added = await client.post(
        f"/v1/grants/{grant}/documents",
        headers=headers,
        files={"file": PDF},
        data={"type": "payslip", "title": "Paie"},
    )
    assert added.status_code == 201, added.text
    event = (await log_of(client, person))[0]["id"]
    ids = {"document": added.json()["id"], "grant": grant, "request": request, "event": event}
    for method, path in CHANGES:
        answer = await _answer(client, method, _fill(path, ids, None), headers)
        assert answer[0] in {403, 422}, (method, path, answer)
    for method, path in NOT_THERE:
        answer = await client.request(method, _fill(path, ids, None), headers=headers)
        assert answer.status_code in {404, 405}, (method, path)
    kept = await client.get(f"/v1/documents/{ids['document']}", headers=person.headers)
    assert (kept.status_code, kept.json()["title"]) == (200, "Paie")
    content = await client.get(f"/v1/documents/{ids['document']}/content", headers=person.headers)
    assert content.content == PDF


def _without_id(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "request_id"}
