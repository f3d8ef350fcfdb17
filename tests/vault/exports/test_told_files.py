"""What an export tells beside its papers: requests, grants with receipts, the log with proofs."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from tests.audit.tlog.logs import EAGER
from tests.auth.means_steps import usable_pins
from tests.fixtures import MakePerson, MakeWorker, SomePerson
from tests.joins import joined
from tests.steps import approve, ask, deposit, granted, log_of, revoke
from tests.vault.decoding import corpus
from tests.vault.exports.steps import begun, made, seen, taken, unpacked
from tests.vault.exports.test_verification import packed_again
from tests.web.http.test_public_log import proof_of, published
from vault.exports import archives, export_job
from vault.exports.archives import PieceWriter
from vault.exports.verification import Amiss, NotAsMade, check_all, check_log, check_receipts
from vault.exports.zip_format import ZipEntry
from vault.exports.zip_reader import ZipReader
from web.cli.main import main
from web.process.sequencer import run_sequencer


def lines_of(files: dict[str, bytes], folder: str = "journal") -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[f"{folder}/events.ndjson"].splitlines()]


async def test_requests_grants_and_receipts(
    client: httpx.AsyncClient, person: SomePerson, make_worker: MakeWorker
) -> None:
    worker = await make_worker(name="Camille Moreau")
    await deposit(client, person, corpus.pdf(), type_="payslip")
    kept = await granted(client, person, worker.headers, "payslip")
    ended = await granted(client, person, worker.headers, "income_tax_notice")
    await revoke(client, person, ended)
    refused = await ask(client, worker.headers, person.phone, "payslip")
    await client.post(f"/v1/consent-requests/{refused}/refuse", headers=person.headers)
    export = await made(client, person)
    await granted(client, person, worker.headers, "payslip")  # later: not in it

    files = await unpacked(client, person, export["id"])
    requests = json.loads(files["demandes.json"])
    assert {one["id"]: one["state"] for one in requests}[refused] == "refused"
    assert len(requests) == 3
    assert requests[0]["requester"]["name"] == "Camille Moreau"
    assert requests[0]["terms"]["purpose"] == "Demande de logement social"
    grants = json.loads(files["accès.json"])
    assert [(one["id"], one["state"]) for one in grants] == [(ended, "revoked"), (kept, "live")]
    assert grants[0]["ended_by"] == "owner"
    assert [one["receipt"] for one in grants] == [f"reçus/{ended}.json", f"reçus/{kept}.json"]
    receipt = json.loads(files[f"reçus/{kept}.json"])
    assert receipt["dpv:hasStatus"] == "dpv:ConsentGiven"
    assert receipt["evidence"][0]["languages"] == ["fr"]


async def test_the_log_is_proved_by_the_key_alone(
    client: httpx.AsyncClient,
    person: SomePerson,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await deposit(client, person, corpus.pdf())
    async with run_sequencer(person.services, EAGER):
        line = (await log_of(client, person))[0]
        receipt = await proof_of(client, person, line["id"])
        await published(client, receipt["index"] + 1)
    export = await made(client, person)
    files = await unpacked(client, person, export["id"])
    told = lines_of(files)
    assert [one["event"]["action"] for one in told[:1]] == ["vault.export_asked"]
    assert next(one["event"]["id"] for one in told if "inclusion" in one) == line["id"]
    assert "inclusion" not in told[0]
    assert files["journal/checkpoint"].decode() == (await client.get("/log/checkpoint")).text
    vkey = (await client.get("/log/vkey")).text
    assert files["journal/vkey"].decode().strip() == vkey.strip()

    at, keys = tmp_path / "export.zip", tmp_path / "keys.json"
    at.write_bytes((await taken(client, person, export["id"])).content)
    keys.write_bytes((await client.get("/v1/receipt-keys")).content)
    proved = sum("inclusion" in one for one in told)
    assert main(["verify", "export", str(at), "--keys", str(keys), "--vkey", vkey]) == 0
    said = [one for one in capsys.readouterr().out.splitlines() if "[info" not in one]
    assert said[1:] == [
        "verified: 0 receipts of grants, each signed",
        f"verified: {proved} lines of the log, each proved",
        f"{len(told) - proved} lines have no proof: they were in no signed tree yet",
    ]
    other = "a.example/log+c1ad1f83+AVfM2cQcr8Wm4nC8mYCtbTRJOvYwCrhYMqRvJQbHj0bn"
    assert main(["verify", "export", str(at), "--vkey", other]) in (1, 2)


async def test_a_report_goes_with_its_line(client: httpx.AsyncClient, person: SomePerson) -> None:
    line = next(one for one in await log_of(client, person) if one["action"] == "sign_in.success")
    said = {"text": "Ce n’était pas moi."}
    path = f"/v1/access-log/{line['id']}/report"
    assert (await client.post(path, headers=person.headers, json=said)).is_success
    files = await unpacked(client, person, (await made(client, person))["id"])
    (told,) = [one["report"] for one in lines_of(files) if "report" in one]
    assert told["text"] == "Ce n’était pas moi."


async def test_an_altered_report_keeps_no_line_back(
    client: httpx.AsyncClient, person: SomePerson, as_owner: Database
) -> None:
    line = next(one for one in await log_of(client, person) if one["action"] == "sign_in.success")
    path = f"/v1/access-log/{line['id']}/report"
    assert (await client.post(path, headers=person.headers, json={"text": "Non."})).is_success
    await _alter(as_owner, "report", "created_at = created_at - interval '1 day'", person)
    files = await unpacked(client, person, (await made(client, person))["id"])
    told = lines_of(files)
    assert line["id"] in {one["event"]["id"] for one in told}
    assert not any("report" in one for one in told)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ('"grant"', "ends_at = ends_at + interval '1 day'"),
        ("consent_evidence", "at = at - interval '1 day'"),
        ("consent_request", "lapses_at = lapses_at + interval '1 day'"),
    ],
)
async def test_a_row_that_somebody_altered_is_told_and_keeps_nothing_else_back(
    client: httpx.AsyncClient,
    person: SomePerson,
    make_worker: MakeWorker,
    as_owner: Database,
    table: str,
    change: str,
) -> None:
    worker = await make_worker()
    await deposit(client, person, corpus.pdf(), type_="payslip")
    request = await ask(client, worker.headers, person.phone, "payslip")
    altered = str((await approve(client, person, request))["id"])
    whole = await granted(client, person, worker.headers, "income_tax_notice")
    of = {"consent_evidence": f"grant_id = '{altered}'", "consent_request": f"id = '{request}'"}
    await _alter(as_owner, table, change, person, of.get(table, f"id = '{altered}'"))

    files = await unpacked(client, person, (await made(client, person))["id"])
    grants = {one["id"]: one for one in json.loads(files["accès.json"])}
    requests = {one["id"]: one for one in json.loads(files["demandes.json"])}
    assert grants[whole]["receipt"] in files
    assert any("original" in path for path in files)
    page = files["index.html"].decode()
    if table == '"grant"':
        assert grants[altered] == {"id": altered, "unreadable": True}
        assert "Un accès que nous n’avons pas pu lire." in page
    elif table == "consent_request":
        assert requests[request] == {"id": request, "unreadable": True}
        assert "Une demande que nous n’avons pas pu lire." in page
    else:
        assert grants[altered]["receipt_unreadable"] is True
        assert f"reçus/{altered}.json" not in files


@pytest.mark.parametrize(("table", "of"), [("document", "id"), ("document_version", "document_id")])
async def test_an_altered_paper_is_told_and_the_others_go(
    client: httpx.AsyncClient, person: SomePerson, as_owner: Database, table: str, of: str
) -> None:
    altered = (await deposit(client, person, corpus.pdf(1)))["id"]
    whole = (await deposit(client, person, corpus.pdf(2), type_="payslip"))["id"]
    await _alter(
        as_owner, table, "created_at = created_at - interval '1 day'", person, f"{of} = '{altered}'"
    )
    files = await unpacked(client, person, (await made(client, person))["id"])
    told = json.loads(files["documents.json"])["papers"]
    assert told[0] == {"id": altered, "unreadable": True}
    assert told[1]["id"] == whole
    assert len([path for path in files if "original" in path]) == 1
    assert "que nous n’avons pas pu lire : 1" in files["index.html"].decode().replace("\u00a0", " ")


async def _alter(
    as_owner: Database, table: str, change: str, person: SomePerson, where: str = "TRUE"
) -> None:
    async with as_owner.transaction() as tx:
        done = await tx.execute(
            text(f"UPDATE unefois.{table} SET {change} WHERE person_id = :id AND {where}"),  # noqa: S608
            {"id": person.id},
        )
        assert done.rowcount == 1


@pytest.mark.parametrize(
    "path", ["demandes.json", "reçus/", "journal/events.ndjson", "index.html", "reçus/keys.json"]
)
async def test_a_crash_after_each_of_them_makes_none_twice(
    client: httpx.AsyncClient,
    person: SomePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    worker = await make_worker()
    await granted(client, person, worker.headers, "payslip")
    export = UUID((await begun(client, person))["id"])
    end_entry = PieceWriter.end_entry

    async def crash(self: PieceWriter, entry: ZipEntry, **values: bool) -> None:
        await end_entry(self, entry, **values)
        if entry.path.startswith(path):
            raise _CrashError

    monkeypatch.setattr(archives, "SAFE_BYTES", 1)
    monkeypatch.setattr(PieceWriter, "end_entry", crash)
    with pytest.raises(_CrashError):
        await export_job.make(person.services, person.id, export)
    monkeypatch.setattr(PieceWriter, "end_entry", end_entry)
    before = await seen(client, person, str(export))
    await export_job.make(person.services, person.id, export)
    assert (await seen(client, person, str(export)))["bytes"] > before["bytes"] > 0
    files = await unpacked(client, person, str(export))
    (grant,) = json.loads(files["accès.json"])
    assert grant["receipt"] in files
    assert "Le reçu de cet accord" in files["index.html"].decode()


class _CrashError(BaseException):
    """The end of the process, as far as the code can see: nothing catches it."""


async def test_a_vault_that_was_joined_brings_its_log_and_its_receipts(
    client: httpx.AsyncClient,
    person: SomePerson,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    other, worker = await make_person(), await make_worker()
    await deposit(client, other, corpus.pdf(), type_="payslip")
    grant = await granted(client, other, worker.headers, "payslip")
    pin = (await usable_pins(person.services, person))[0]
    await joined(client, other, person, pin)
    files = await unpacked(client, person, (await made(client, person))["id"])
    assert json.loads(files["accès.json"]) == []
    (former,) = json.loads(files["journal/avant-1/accès.json"])
    assert (former["id"], former["state"]) == (grant, "revoked")
    assert json.loads(files[f"reçus/{grant}.json"])["dct:identifier"] == grant
    told = lines_of(files, "journal/avant-1")
    assert told[0]["event"]["action"] == "vault.leave"
    assert {one["event"]["person"] for one in told} == {str(other.id)}
    assert "À l’autre endroit, jusqu’au" in files["index.html"].decode()


async def test_a_receipt_or_a_line_that_was_changed_is_seen(
    client: httpx.AsyncClient, person: SomePerson, make_worker: MakeWorker
) -> None:
    """By whoever signs a manifest of their own over it, too."""
    worker = await make_worker()
    await deposit(client, person, corpus.pdf(), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    async with run_sequencer(person.services, EAGER):
        await proof_of(client, person, (await log_of(client, person))[0]["id"])
    whole = (await taken(client, person, (await made(client, person))["id"])).content
    vkey = (await client.get("/log/vkey")).text
    check_all(ZipReader(io.BytesIO(whole), room=10**9))
    assert check_receipts(_read(whole)) == 1
    assert check_log(_read(whole), vkey).proved > 0
    path = f"reçus/{grant}.json"
    forged = _changed(whole, path, b"Demande de logement", b"Demande de credit..")
    with pytest.raises(NotAsMade) as found:
        check_receipts(_read(forged))
    assert (found.value.path, found.value.amiss) == (path, Amiss.UNSIGNED)
    forged = _changed(whole, "journal/events.ndjson", b'"document.deposit"', b'"document.restore"')
    with pytest.raises(NotAsMade) as found:
        check_log(_read(forged), vkey)
    assert found.value.amiss is Amiss.UNPROVED


def _read(data: bytes) -> ZipReader:
    return ZipReader(io.BytesIO(data), room=10**9)


def _changed(data: bytes, path: str, before: bytes, after: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        kept = found.read(path)
    assert before in kept
    return packed_again(data, {path: kept.replace(before, after)})
