"""The files of an export that are the log: each event with what proves it offline, the log's
checkpoint, and its key. Formats: docs/formats/export.md, docs/formats/log.md."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.tlog.transparency_log import Inclusion
from auth.subjects import Person
from base.clock import rfc3339
from base.errors import ServiceError
from vault.access_log.exported_log import ExportedEntry, OlderUnreadable, exported_log
from vault.access_log.inclusion_proof import receipt_of
from vault.access_log.report_views import ReportView
from vault.exports.json_files import File, json_line, once
from vault.services import Services

FOLDER = "journal"
EVENTS = "events.ndjson"
CHECKPOINT = f"{FOLDER}/checkpoint"
VKEY = f"{FOLDER}/vkey"


def folder_of(former: int | None = None) -> str:
    """Where the log of the vault stands, or that of the n-th that was joined to it; with its
    slash."""
    return f"{FOLDER}/" if former is None else f"{FOLDER}/avant-{former}/"


async def tree_files(services: Services) -> AsyncIterator[File]:
    """The checkpoint that everybody sees, where there is one, and the key that signs it."""
    checkpoint = await services.transparency_log.public_checkpoint()
    if checkpoint is not None:
        yield CHECKPOINT, once(checkpoint)
    yield VKEY, once((await services.transparency_log.verifier()).vkey.encode() + b"\n")


async def log_lines(services: Services, person: Person, until: datetime) -> AsyncIterator[bytes]:
    """The events until then, the newest first. One that is in no signed tree yet has no proof."""
    try:
        async for entry in exported_log(services, person, until):
            yield json_line(await _line(services, entry))
    except OlderUnreadable:
        yield json_line({"unreadable": True})


async def _line(services: Services, entry: ExportedEntry) -> dict[str, Any]:
    report = {} if entry.view.report is None else {"report": _report(entry.view.report)}
    proof = replace(entry.proof, inclusion=await _inclusion(services, entry.view.id))
    return (receipt_of(proof) or {"event": proof.event}) | report


async def _inclusion(services: Services, event_id: UUID) -> Inclusion | None:
    """None too while the log cannot prove it, which its operator is told otherwise."""
    try:
        return await services.transparency_log.inclusion(event_id)
    except ServiceError as failure:
        if failure.code != "log_broken":
            raise
        return None


def _report(report: ReportView) -> dict[str, Any]:
    answered = {}
    if report.answered_at is not None:
        answered = {"answer": report.answer, "answered_at": rfc3339(report.answered_at)}
    return {"text": report.text, "reported_at": rfc3339(report.reported_at), **answered}
