"""Whoever writes the database without keys gives nobody a paper, and hides nothing.

Every column of every table is edited, rows are copied, deleted, swapped between people and put back
as they were earlier: as a superuser with triggers and foreign keys disabled, and as the service's
own role. Each edit is harmless, refused at use, or named by `unefois audit reconcile`.
"""

from collections import Counter
from typing import Any

import httpx
import psycopg
import pytest

from auth import pin_hashes
from tests.attacks.written_database.edits import Tables
from tests.attacks.written_database.history import tell
from tests.attacks.written_database.story import Story
from tests.attacks.written_database.verdicts import Judge, Verdict, shown
from tests.fixtures import MakeClient, MakePerson, MakeWorker
from tests.steps import until
from tests.vault.reconciliation.conftest import Thief
from vault.services import Services
from web.process.sequencer import run_sequencer

# Nothing that anyone learns or may do depends on these.
_NOT_SHOWN = "a time that is shown to nobody and decides nothing"
HARMLESS = {
    ("access_outcome", "at"): _NOT_SHOWN,
    ("access_outcome", "*"): "deleted, the entry reads `not confirmed`: the least that is known",
    ("alembic_version",): "the next start refuses to serve, and says so",
    ("attempt",): "how many grants are given in an hour: each is in the log",
    ("audit_key", "created_at"): _NOT_SHOWN,
    ("browser", "*"): "a browser is new again, and told to its holder",
    ("closing_step", "*"): "somebody is told once more, or counted as told",
    ("deposit_total",): "a grant's recipient adds more than its quota, each in the log, or nothing",
    ("desk_form",): "a form of the desk opens another vault, which is empty, or none",
    ("document", "notice_at"): "a reminder too many, or none",
    ("document_version", "size_kib"): "emptied, it is measured again by the next sweep",
    ("erasure_code", "attempts"): "a session tries more codes, each in the log; then seven days",
    ("erasure_code", "used_at"): "the same, of the session that the code was sent for",
    ("erasure_code", "*"): "another code is asked for",
    ("grant_history", "at"): "compared with the log, to the minute",
    ("grant_history", "edition"): "a grant is not narrowed again: it opens nothing",
    ("grant_history", "*"): "a revocation said twice",
    ("idempotency", "created_at"): "for how long an answer is kept",
    ("idempotency", "*"): "what its own author sends again is done again, and is in the log",
    ("log_checkpoint", "at"): _NOT_SHOWN,
    ("log_checkpoint", "frontier"): "the sequencer stops on a frontier that is not of its root",
    ("log_checkpoint", "*"): "the leaves are there: the next sequencer signs them again",
    ("log_key", "created_at"): _NOT_SHOWN,
    ("log_warning", "*"): "its person is warned once more",
    ("log_watch",): "a leaf is integrated half a second later",
    ("mandate", "*"): "a copy, which no grant and no evidence names",
    ("meeting", "*"): "both meet again; what it leads to is the person's to approve, or to give",
    ("message",): "a message is late, lost, or sent twice to the address that is sealed in it",
    ("organisation", "created_at"): _NOT_SHOWN,
    ("person_label", "*"): "its worker writes it again; it opens nothing",
    ("pin_step", "*"): "its holder shows the card, or asks for a code, again",
    ("rate_bucket",): "somebody is slowed who should not be, or not slowed who should",
    ("receipt_key", "created_at"): _NOT_SHOWN,
    ("receipt_key", "retired_at"): _NOT_SHOWN,
    (
        "receipt_key",
        "*",
    ): "receipts of that key are asked for again; none verifies that is not ours",
    ("root_version", "created_at"): _NOT_SHOWN,
    ("root_version", "provider"): "which provider wraps is a setting",
    ("sealed_file", "created_at"): _NOT_SHOWN,
    ("session", "worker_session_id"): "compared with the token, and with what is sealed",
    ("sign_in", "*"): "its holder asks for another code",
    ("sign_in_code", "*"): "the same",
    ("sign_in_try",): "more guesses at one code: named once they pass the budget of a day",
    ("signing_key", "created_at"): "which of our keys signs",
    ("signing_key", "retired_at"): "which of our keys still verify, for tokens of five minutes",
    ("signing_key", "*"): "a client asks for another token",
    ("vault_join", "*"): "digits that nobody typed: others are asked for",
    ("wrapped_key", "created_at"): _NOT_SHOWN,
    ("wrong_codes", "*"): "more guesses: named once they pass the budget of a day",
    ("used_assertion",): "an assertion used twice is named by what the log says of both",
}


def chosen(story: Story, table: str) -> list[str]:
    """Which rows of a table are edited: those that matter most, or any."""
    grants, documents = story.grants, story.documents
    sessions = [one.subject.session_id for one in (story.amina, story.wanda)]
    by_id: dict[str, list[object]] = {
        "grant": [grants["type"], grants["revoked"]],
        "document": [documents["pay"], documents["gone"], documents["kept"]],
        "person": [story.amina.id],
        "worker": [story.wanda.id],
        "consent_request": [story.requests["waiting"]],
        "session": [*sessions],
    }
    if table in by_id:
        return [f"t.id = '{one}'" for one in by_id[table]]
    of = {
        "consent_evidence": f"grant_id = '{grants['type']}'",
        "document_version": f"document_id = '{documents['tax']}'",
        "vault_join": "joined_at IS NOT NULL",
        "trusted_person": "accepted_at IS NOT NULL",
        "representation": "began_at IS NOT NULL",
        "audit_key": f"owner_id = '{story.amina.id}'",
        "grant_history": f"grant_id = '{grants['revoked']}' AND step = 'revoked'",
        "wrapped_key": f"owner_id = '{story.amina.id}'",
        "log_checkpoint": "size = (SELECT max(size) FROM unefois.log_checkpoint)",
    }.get(table, "true")
    return [f't.ctid = (SELECT min(x.ctid) FROM unefois."{table}" x WHERE {of})']  # noqa: S608


async def judged(story: Story, judge: Judge, tables: Tables) -> list[Verdict]:
    verdicts = []
    for table in tables:
        edits = [edit for row in chosen(story, table) for edit in tables.edits(table, row)]
        verdicts += [await judge.judge(edit) for edit in edits]
        print(shown(verdicts[-len(edits) :]), flush=True)
    return verdicts


def _integrated(thief: Thief) -> bool:
    events = "(SELECT count(*) FROM unefois.access_event)"
    return bool(
        thief.run(f"SELECT {events} = max(size) FROM unefois.log_checkpoint")[0][0]  # noqa: S608
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_every_edit_is_harmless_refused_or_named(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
    thief: Thief,
    service: "psycopg.Connection[Any]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)  # of thousands of PINs
    story = await tell(services, client, make_person, make_worker, make_client)
    async with run_sequencer(services):
        await until(lambda: _integrated(thief))
    tables = Tables(thief.connection)
    judge = Judge(story, thief, service)
    await judge.begin([("unefois", name) for name in tables])
    assert {status for status, _ in judge.before.values()} >= {200, 403, 404}
    assert judge.faults == set()  # an honest story
    await judge.note_reads()
    assert all(judge.touched.values())
    print({table: sum(table in one for one in judge.touched.values()) for table in tables})
    verdicts = await judged(story, judge, tables)
    print(Counter(one.kind.partition(" (")[0] for one in verdicts))
    assert not [one.edit for one in verdicts if one.kind == "A FOURTH KIND"]
    for one in verdicts:
        edited = (one.edit.table, one.edit.column)
        if one.kind == "harmless":
            assert edited in HARMLESS or edited[:1] in HARMLESS, shown([one])
    assert not [one.edit for one in verdicts if one.untold and not one.named]
