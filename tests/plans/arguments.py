"""Calls for every function of the `records` files: each way to leave an argument out, each switch.

An argument is found by the function and its name, by its name, or by its type; one that is found
nowhere fails the check, which says where to add it.
"""

import importlib
import inspect
import itertools
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.tlog.records import Signed
from auth.subjects import Party
from base.statements import Bound
from storage.row_macs import RowMacs
from tests.plans.values import Rows
from tests.plans.values import new as _new
from tests.plans.values import of as _of
from tests.plans.values import only as _is
from tests.plans.values import row as _row
from tests.plans.values import some as _some
from vault.cursors import Position
from vault.rules import GrantAction

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("base", "storage", "audit", "auth", "vault", "web")
SAMPLE = 777
"""Which row of each table the arguments name."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a `records` file, with arguments but its connection."""

    function: Callable[..., Any]
    arguments: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__name__}"


def functions() -> list[Callable[..., Any]]:
    """Every public function of the `records` files that runs a statement or gives one."""
    found: list[Callable[..., Any]] = []
    for path in sorted(ROOT.glob("*/**/*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in LAYERS or "records" not in parts[1:]:
            continue
        module = importlib.import_module(".".join(parts))
        for name, one in inspect.getmembers(module, inspect.isfunction):
            if one.__module__ == module.__name__ and not name.startswith("_") and _runs(one):
                found.append(one)
    return found


def _runs(function: Callable[..., Any]) -> bool:
    hints = typing.get_type_hints(function)
    connections = (AsyncConnection, psycopg.AsyncConnection)
    takes = any((typing.get_origin(hint) or hint) in connections for hint in hints.values())
    return takes or hints.get("return") is Bound


def calls(function: Callable[..., Any], rows: Rows) -> Iterator[Call]:
    """Each way to call it. Raises `LookupError` for an argument that nobody gave a value."""
    hints = typing.get_type_hints(function)
    choices: dict[str, list[Any]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in {"connection", "tx"}:
            continue
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            name = "values"  # noqa: PLW2901  (the same for a dictionary)
        choices[name] = _choices(function, name, hints[name], rows)
    for chosen in itertools.product(*choices.values()):
        arguments = dict(zip(choices, chosen, strict=True))
        if "values" in arguments and "values" not in _named(function):
            arguments |= arguments.pop("values")
        if _is_possible(function, arguments):
            yield Call(function, arguments)


def _is_possible(function: Callable[..., Any], arguments: dict[str, Any]) -> bool:
    judge = POSSIBLE.get(f"{function.__module__}.{function.__name__}")
    return judge is None or judge(arguments)


def _named(function: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD}


def _choices(function: Callable[..., Any], name: str, hint: Any, rows: Rows) -> list[Any]:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    values: list[Any] = [None] if type(None) in kinds else []
    kinds = tuple(kind for kind in kinds if kind is not type(None))
    if kinds == (bool,):
        return [False, True]
    module = function.__module__
    for key in (f"{module}.{function.__name__}.{name}", f"{module}.{name}", name):
        if key in GIVEN:
            return [*values, *GIVEN[key](rows)]
    if name.endswith("_id") and name[:-3] in rows:
        return [*values, rows[name[:-3]]["id"]]
    for kind, value in _BY_TYPE:
        if kinds[0] is kind or kinds[0] == kind:
            return [*values, value]
    raise LookupError(
        f"tests/plans/arguments.py: GIVEN has nothing for {module}.{function.__name__}({name})"
    )


class AnyMacs:
    """In the place of the MACs of rows: nothing is checked here but plans."""

    def check(self, *_: object) -> None: ...

    def holds(self, *_: object) -> bool:
        return True

    def of(self, *_: object) -> bytes:
        return b"m" * 32

    def add(self, _: object, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "mac": b"m" * 32}


def _now() -> datetime:
    return datetime.now(UTC)


_BY_TYPE: tuple[tuple[Any, Any], ...] = (
    (RowMacs, AnyMacs()),
    (Position, (0, UUID(int=2**128 - 1))),
    (datetime, _now()),
    (timedelta, timedelta(hours=1)),
    (int, 50),
)


POSSIBLE: dict[str, Callable[[dict[str, Any]], bool]] = {
    "audit.records.events_of": lambda given: (
        (given["person_tag"] is None) != (given["actor_tag"] is None)
    ),
    "storage.records.add_key": lambda given: given["owner_id"] is not None and given["use"] is None,
}
"""The ways in which a function is called, where that is not all of them."""

_LATER = ("answer", "answered_at", "mac")
GIVEN: dict[str, Callable[[Rows], list[Any]]] = {
    # By name: the value of a column of the sample rows.
    "actions": _is(frozenset({GrantAction.ATTEST, GrantAction.READ})),
    "active": _is("root-10"),
    "actor_tag": _of("access_event", "actor_tag"),
    "actor_tags": _some("access_event", "actor_tag"),
    "address_tag": _of("sign_in_code", "address_tag"),
    "after": _of("grant", "person_id"),
    "age": _is(timedelta(days=1)),
    "answer": _is("refused"),
    "before": _of("document"),
    "beside": _of("document"),
    "but": _of("session"),
    "channel": _is("sms"),
    "by": _is("owner"),
    "client_id": _of("client", "client_id"),
    "code_id": _of("sign_in_code"),
    "code_tag": _of("meeting", "code_tag"),
    "content_tag": _of("document_version", "content_tag"),
    "document_ids": _some("document"),
    "edition": _is(2),
    "email_tag": _of("worker", "email_tag"),
    "event_id": _of("access_event"),
    "event_ids": _some("access_event"),
    "events": _some("access_event"),
    "excluded": _some("wrapped_key"),
    "expires_at": _is(_now() + timedelta(hours=1)),
    "first": _is(0),
    "id_": _of("client"),
    "ids": _some("audit_key"),
    "index": _is(100),
    "jti_hash": _is(b"j" * 32),
    "auth.records.rate_buckets.key": _of("rate_bucket", "key"),
    "key_hash": _of("idempotency", "key_hash"),
    "key_id": _of("audit_key"),
    "lapsed_for": _is(timedelta(days=30)),
    "keys": _some("sealed_file", "blob_key"),
    "kind": _is("person"),
    "mac": _is(b"m" * 32),
    "network_tag": _of("sign_in", "network_tag"),
    "nth": _is(3),
    "owner_id": _of("person"),
    "person_tag": _of("access_event", "person_tag"),
    "phone_tag": _of("person", "phone_tag"),
    "phone_tags": _some("person", "phone_tag"),
    "provider": _is("local"),
    "recipient": lambda rows: [Party("worker", rows["worker"]["id"])],
    "request_id": _of("consent_request"),
    "requester": lambda rows: [Party("worker", rows["worker"]["id"])],
    "requester_id": _of("worker"),
    "role": _is("unefois_service"),
    "request_ids": _some("consent_request"),
    "root_version": _is("root-10"),
    "secret_hash": _of("browser", "secret_hash"),
    "signed": _is(Signed(10**6, b"r" * 32, b"f" * 32, b"note")),
    **dict.fromkeys(("sealed", "sender_sealed"), _is(b"s" * 64)),
    "since": _is(_now() - timedelta(hours=1)),
    "state": _is("live", "ended"),
    "step": _is("given"),
    "subject_id": _of("person"),
    "token_hash": _of("session", "token_hash"),
    "worker_session_id": _of("session"),
    "type_tags": _some("document", "type_tag"),
    "upto": _is(UUID(int=2**128 - 1)),
    "use": _is("use-10001"),
    "version": _is("root-2"),
    "version_id": _of("document_version"),
    "worker_id": _of("worker"),
    "wrapped": _is(b"w" * 64),
    "year": _is(2023),
    # Where a name means something else.
    "audit.records.before": _of("access_event"),
    "audit.records.audit_key.year": _is(2026),
    "audit.records.outcomes.state": _is("completed"),
    "audit.records.add_audit_key.values": _new("audit_key"),
    "audit.records.insert_event.values": _new("access_event"),
    "audit.tlog.records.add_log_key.values": _new("log_key", "one"),
    "audit.tlog.records.after": lambda rows: [rows["last_event"]["id"]],
    "audit.tlog.records.range_end.length": _is(1000),
    "audit.tlog.records.integrate.first": _is(10**6),
    "audit.tlog.records.integrate.ids": lambda rows: [[rows["leafless_event"]["id"]]],
    "auth.oauth.records.add_signing_key.values": _new("signing_key"),
    "auth.oauth.records.retire_signing_keys.after": _is(timedelta(hours=1)),
    "auth.records.anchors.tag": _of("anchor", "tag"),
    "auth.records.anchors.put_anchor.values": _new("anchor", "mac"),
    "auth.records.browsers.age": _is(timedelta(days=400)),
    "auth.records.browsers.put_browser.values": _new("browser"),
    "auth.records.cards.code_tag": _of("card", "code_tag"),
    "auth.records.cards.secret_tag": _of("card", "secret_tag"),
    "auth.records.cards.add_card.values": _new("card", "mac"),
    "auth.records.cards.change_card.row": _row("card"),
    "auth.records.cards.change_card.values": _is({"wrong": 1}),
    "auth.records.closings.add_closing.values": _new("closing", "cancelled_at", "mac"),
    "auth.records.closings.cancel_closing.row": _row("closing"),
    "auth.records.closings.person_ids": _some("person"),
    "auth.records.closings.worker_ids": _some("worker"),
    "auth.records.closings.add_step.values": _new("closing_step", "mac"),
    "auth.records.closings.note_done.row": _row("closing_step"),
    "auth.records.closings.note_done.way": _is("page"),
    "auth.records.desk_forms.form_tag": _of("desk_form", "form_tag"),
    "auth.records.desk_forms.note_sent.form_tag": lambda _: [uuid4().bytes * 2],
    "auth.records.pin_steps.values": _new("pin_step"),
    "auth.records.pin_steps.step_id": _of("pin_step"),
    "auth.records.pins.put_pin.values": _new("pin", "mac"),
    "auth.records.messages.add_message.values": _new("message", "attempts", "expires_at"),
    "auth.records.people.add_person.values": _new("person", "created_at", "used_at", "mac"),
    "auth.records.people.row": _row("person"),
    "auth.records.people.person_ids": _some("person"),
    "auth.records.people.language": _is("ar"),
    "auth.records.recipients.add_client.values": _new("client", "created_at", "active", "mac"),
    "auth.records.recipients.add_worker.values": _new("worker", "created_at", "active", "mac"),
    "auth.records.recipients.add_organisation.values": _new("organisation"),
    "auth.records.sessions.values": _new("session"),
    "auth.records.sessions.move_end.expires_at": _is(datetime(2100, 1, 1, tzinfo=UTC)),
    "auth.records.sessions.move_end.mac": _is(bytes(33)),
    "auth.records.sign_ins.add_code.values": _new("sign_in_code"),
    "auth.records.sign_ins.add_sign_in.values": _new("sign_in"),
    "auth.records.sign_ins.add_try.values": _new("sign_in_try"),
    "auth.records.sign_ins.put_wrong_codes.values": _new("wrong_codes"),
    "storage.records.add_key.key_id": lambda _: [uuid4()],
    "storage.records.add_key.kind": _is("owner"),
    "storage.records.add_key.owner_id": lambda _: [uuid4()],
    "storage.records.add_root.version": lambda _: [uuid4().hex],
    "storage.records.key_id": _of("wrapped_key"),
    "vault.access_log.records.actions_between.after": lambda rows: [
        (rows["access_event"]["at"], rows["access_event"]["id"])
    ],
    "vault.access_log.records.start": _is(_now() - timedelta(days=10)),
    "vault.access_log.records.end": _is(_now()),
    "vault.access_log.records.integrated_events.after": _is(59_900),
    "vault.access_log.records.due_keys.after": _is(UUID(int=0)),
    "vault.access_log.records.add_report.values": _new("report"),
    "vault.consent.records.grants.grants_of_person.after": _is((0, UUID(int=2**127))),
    "vault.consent.records.grants.grants_of_recipient.after": _is((0, UUID(int=2**127))),
    "vault.consent.records.grants.add_grant.values": _new("grant"),
    "vault.consent.records.grants.change_grant.row": _row("grant"),
    "vault.consent.records.grants.change_grant.values": _is({"catalogue_edition": 2}),
    "vault.consent.records.requests.after": _is((1, UUID(int=2**127))),
    "vault.consent.records.requests.add_request.values": _new("consent_request", *_LATER),
    "vault.consent.records.requests.row": _row("consent_request"),
    "vault.consent.records.grants.people_of_worker.after": _is((0, UUID(int=2**127))),
    "vault.consent.records.grants.among": _some("grant", "person_id"),
    "vault.consent.records.grants.people": _some("grant", "person_id"),
    "vault.consent.records.consent_evidence.add_evidence.values": lambda rows: [
        {**_new("consent_evidence")(rows)[0], "change": "revoked"}
    ],
    "vault.consent.records.mandates.add_mandate.values": _new("mandate"),
    "vault.consent.records.mandates.mandate_id": _of("mandate"),
    "vault.consent.records.mandates.note_seen.row": _row("mandate"),
    "vault.consent.records.mandates.note_seen.seen_at": _is(datetime(2100, 1, 1, tzinfo=UTC)),
    "vault.consent.records.receipt_keys.add_receipt_key.key_id": lambda _: [uuid4()],
    "vault.consent.records.receipt_keys.key_id": _of("receipt_key"),
    "vault.consent.records.labels.add_label.values": lambda rows: [
        {**_new("person_label")(rows)[0], "person_id": rows["last_person"]["id"]}
    ],
    "auth.records.joins.join_id": _of("vault_join"),
    "auth.records.joins.add_join.values": _new("vault_join", "stays_id", "joined_at", *_LATER[1:]),
    "auth.records.joins.change_join.row": _row("vault_join"),
    "auth.records.joins.change_join.values": _is({"sealed": b"s"}),
    "vault.consent.records.meetings.opener": lambda rows: [
        Party("person", rows["person"]["id"]),
        Party("worker", rows["worker"]["id"]),
    ],
    "vault.consent.records.meetings.add_meeting.values": _new("meeting"),
    "vault.consent.records.meetings.change_meeting.row": _row("meeting"),
    "vault.consent.records.meetings.change_meeting.values": _is({"sealed": b"s"}),
    "vault.documents.records.add_document.values": _new("document"),
    "vault.documents.records.add_version.values": _new("document_version"),
    "vault.documents.records.add_file.values": _new("sealed_file", "created_at"),
    "vault.documents.records.change_version.values": _is({"scan": "clean"}),
    "vault.documents.records.change_document.row": _row("document"),
    "vault.documents.records.change_document.values": _is({"sealed": b"s"}),
    "vault.documents.moves.records.version_ids": _some("document_version"),
    "vault.documents.moves.records.documents": lambda rows: [_new("document")(rows)],
    "vault.documents.moves.records.versions": lambda rows: [_new("document_version")(rows)],
    "vault.documents.moves.records.files": lambda rows: [_new("sealed_file")(rows)],
    "vault.exports.records.kind": _is("export"),
    "vault.exports.records.add_archive.values": _new("archive"),
    "vault.exports.records.change_archive.row": _row("archive"),
    "vault.exports.records.change_held.row": _row("archive"),
    "vault.exports.records.change_held.values": _is({"attempt": 2}),
    "vault.exports.records.change_archive.values": _is({"attempt": 2}),
    "vault.exports.records.add_piece.values": _new("archive_piece"),
    "vault.exports.records.delete_pieces.after": _is(1),
    "vault.exports.records.keys": _some("archive_piece", "blob_key"),
    "vault.documents.uploads.records.keys": _some("upload_piece", "blob_key"),
    "vault.documents.uploads.records.add_upload.values": _new("upload"),
    "vault.documents.uploads.records.upload_ids": _some("upload"),
    "vault.documents.uploads.records.change_upload.row": _row("upload"),
    "vault.documents.uploads.records.change_upload.values": _is({"refused": True}),
    "vault.documents.uploads.records.pieces": lambda rows: [_new("upload_piece")(rows)],
    "auth.records.representations.representation_id": _of("representation"),
    "auth.records.representations.representative_id": _of("person"),
    "auth.records.representations.add_representation.values": _new("representation"),
    "auth.records.representations.change_representation.row": _row("representation"),
    "auth.records.representations.change_representation.values": _is({"sealed": b"s"}),
    "vault.trusted.records.naming_id": _of("trusted_person"),
    "vault.trusted.records.add_naming.values": _new("trusted_person"),
    "vault.trusted.records.change_naming.row": _row("trusted_person"),
    "vault.trusted.records.change_naming.values": _is({"sealed": b"s"}),
    "vault.maintenance.records.code_id": _of("erasure_code"),
    "vault.maintenance.records.add_code.values": _new("erasure_code", "attempts"),
    "vault.maintenance.records.add_pending.values": lambda rows: [
        {**rows["pending_erasure"], "person_id": rows["last_person"]["id"]}
    ],
    "vault.maintenance.records.mark": lambda _: [uuid4().bytes * 2],
    "vault.maintenance.records.pending_to_remind.before": _is(timedelta(days=1)),
    "vault.maintenance.records.note_reminder.values": lambda rows: [dict(rows["pending_erasure"])],
    "vault.recovery.records.code_tag": _of("recovery", "code_tag"),
    "vault.recovery.records.stop_tag": _of("recovery", "stop_tag"),
    "vault.recovery.records.former_id": _of("recovery", "former_id"),
    "vault.recovery.records.waiting_id": _of("recovery", "waiting_id"),
    "vault.recovery.records.recovery_id": _of("recovery"),
    "vault.recovery.records.add.values": lambda rows: [
        {**_new("recovery", "mac")(rows)[0], "waiting_id": rows["last_person"]["id"]}
    ],
    "vault.recovery.records.change.row": _row("recovery"),
    "vault.recovery.records.change.values": _is({"sealed": b"s"}),
    "vault.records.kind": _is("give"),
    "vault.records.unmeasured_versions.after": _is(UUID(int=0)),
    "vault.records.set_version_size.version_id": _of("document_version"),
    "vault.records.add_idempotency_answer.values": _new("idempotency", "created_at"),
}
