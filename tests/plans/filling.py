"""Fills every table with as many rows as a service in use has, in seconds, by `generate_series`.

A column has a value by its type, or by what stands in `COLUMNS`. A new table needs nothing here
unless it has a check constraint, or a column whose distribution decides how it is read.
"""

from typing import Any

import psycopg
from sqlalchemy import Column, LargeBinary, Table
from sqlalchemy.types import ARRAY, JSON, Boolean, DateTime, Integer, Uuid

from base.database import Base

SMALL = {
    "closing": "one an end of the service, or two",
    "client": "one a system of an administration, added by hand",
    "log_key": "one row",
    "log_watch": "one row",
    "organisation": "one a structure, added by hand",
    "receipt_key": "one a renewal, by hand, every few years",
    "root_version": "one a rotation, by hand, a few times a year",
    "signing_key": "one a month, deleted once retired",
}
"""Tables that do not grow with use, each with the reason."""

ROWS = {
    "person": 10_000,
    "worker": 5_000,
    "anchor": 9_000,
    "pin": 9_000,
    "vault_join": 5_000,
    "closing": 2,
    "recovery": 5_000,
    "trusted_person": 5_000,
    "representation": 5_000,
    "log_checkpoint": 20_000,
    "report": 5_000,
    "person_label": 10_000,
    "pending_erasure": 2_000,
    "document": 40_000,
    "document_version": 40_000,
    "sealed_file": 80_000,
    "access_event": 60_000,
    "log_leaf": 59_990,
    "access_outcome": 40_000,
    "client": 40,
    "log_key": 1,
    "log_warning": 9_000,
    "organisation": 40,
    "receipt_key": 5,
    "root_version": 10,
    "signing_key": 6,
    "wrapped_key": 10_020,
}
DEFAULT_ROWS = 20_000

# `n` counts from 1. A moment is read as now, less that long.
COLUMNS = {
    "access_event.at": "now() - (60000 - n) * interval '1 minute'",
    "access_event.key_id": "{id:audit_key:n % 20000 + 1}",
    "access_event.person_tag": "{tag:person:n % 10000}",
    "access_event.actor_tag": "CASE n % 5 WHEN 3 THEN {tag:busy:0} ELSE {tag:actor:n % 5000} END",
    "access_outcome.state": "'completed'",
    "anchor.person_id": "{id:person:n}",
    "attempt.kind": "'give'",
    "attempt.subject_id": "{id:person:n % 10000 + 1}",
    "attempt.created_at": "now() - n * interval '0.18 seconds'",
    "audit_key.owner_id": "CASE WHEN n > 4 THEN {id:person:n / 2} END",
    "audit_key.year": "CASE WHEN n <= 4 THEN 2020 + n ELSE 2026 - n % 2 END",
    "browser.subject_kind": "'person'",
    "browser.subject_id": "{id:person:n % 10000 + 1}",
    "browser.used_at": "now() - n * interval '27 minutes'",
    "card.person_id": "{id:person:n % 10000 + 1}",
    "card.wrong": "0",
    "client.jwks": "'{}'",
    "consent_evidence.grant_id": "{id:grant:n}",
    "consent_evidence.person_id": "{id:person:n % 10000 + 1}",
    "consent_evidence.change": "'given'",
    "consent_evidence.kind": "'app'",
    "consent_evidence.level": "'phone_code'",
    "consent_evidence.channel": "'pages'",
    "consent_evidence.template_hash": "{tag:template:1}",
    "consent_evidence.wording_hash": "{tag:wording:n}",
    "consent_evidence.worker_id": "NULL",
    "consent_evidence.heard_by": "NULL",
    "consent_evidence.mandate_id": "NULL",
    "mandate.person_id": "{id:person:n % 10000 + 1}",
    "mandate.template_hash": "{tag:template:1}",
    "mandate.scan_tag": "{tag:scan:n}",
    "mandate.signed_at": "now() - n * interval '3 minutes'",
    "mandate.seen_at": "now() - n * interval '3 minutes'",
    "consent_request.requester_kind": "'worker'",
    "consent_request.requester_id": "{id:worker:n % 5000 + 1}",
    "consent_request.phone_tag": "{tag:person:n % 10000}",
    "consent_request.person_id": "CASE WHEN n % 10 > 0 THEN {id:person:n % 10000 + 1} END",
    "consent_request.created_at": "now() - n * interval '3 minutes'",
    "consent_request.lapses_at": "now() - n * interval '3 minutes' + interval '30 days'",
    "consent_request.answer": "CASE WHEN n % 4 > 0 THEN 'approved' END",
    "consent_request.answered_at": "CASE WHEN n % 4 > 0 THEN now() END",
    "document.version_id": "{id:document_version:n}",
    "desk_form.sent_at": "now() - n * interval '0.18 seconds'",
    "document.person_id": "{id:person:n % 10000 + 1}",
    "document.type_tag": "{tag:type:n % 90}",
    "document.deposited_by_kind": "'owner'",
    "document.deleted_at": "CASE WHEN n % 50 = 0 THEN now() - n * interval '1.1 minutes' END",
    "document.notice_at": "CASE WHEN n % 4 = 0 THEN now() + n * interval '10 minutes' END",
    "document_version.document_id": "{id:document:n}",
    "document_version.person_id": "{id:person:n % 10000 + 1}",
    "document_version.scan": "'clean'",
    "document_version.size_kib": "CASE WHEN n % 500 > 0 THEN n % 4000 END",
    "deposit_total.grant_id": "{id:grant:n}",
    "deposit_total.person_id": "{id:person:n % 10000 + 1}",
    "erasure_code.created_at": "now() - n * interval '4.4 seconds'",
    "erasure_code.used_at": "NULL",
    "grant.recipient_kind": "'worker'",
    "grant.recipient_id": "{id:worker:n % 5000 + 1}",
    "grant.request_id": "{id:consent_request:n}",
    "grant.catalogue_edition": "CASE WHEN n % 100 = 0 THEN 1 ELSE 2 END",
    "grant.type_tags": "ARRAY[{tag:type:n % 90}]",
    "grant.document_ids": "ARRAY[{id:document:n}]",
    "grant.given_at": "now() - n * interval '20 minutes'",
    "grant.ends_at": "now() - n * interval '20 minutes' + interval '60 days'",
    "grant.revoked_at": "CASE WHEN n % 10 = 0 THEN now() END",
    "grant_history.step": "'given'",
    "grant_history.by_kind": "'owner'",
    "grant_history.edition": "NULL",
    "idempotency.created_at": "now() - n * interval '4.4 seconds'",
    "log_checkpoint.size": "n * 3",
    "log_checkpoint.root": "{tag:root:n}",
    "log_leaf.index": "n - 1",
    "log_leaf.event_id": "{id:access_event:n}",
    "log_key.public_key": "{tag:log:n}",
    "log_leaf.entry": "{tag:entry:n} || {tag:entry:n}",
    "log_warning.year": "2024",
    "meeting.opened_by": "CASE WHEN n % 2 = 0 THEN 'person' ELSE 'worker' END",
    "meeting.person_id": "CASE WHEN n % 2 = 0 THEN {id:person:n % 10000 + 1} END",
    "meeting.worker_id": "CASE WHEN n % 2 = 1 THEN {id:worker:n % 5000 + 1} END",
    "meeting.created_at": "now() - n * interval '0.18 seconds'",
    "meeting.answered_at": "NULL",
    "meeting.person_agreed_at": "NULL",
    "meeting.worker_agreed_at": "NULL",
    "meeting.used_at": "NULL",
    "vault_join.person_id": "{id:person:n}",
    "vault_join.stays_id": "CASE WHEN n % 2 = 0 THEN {id:person:n - 1} END",
    "vault_join.code_tag": "CASE WHEN n % 2 = 1 THEN {tag:join:n} END",
    "vault_join.created_at": "now() - n * interval '1 second'",
    "vault_join.answered_at": "CASE WHEN n % 2 = 0 THEN now() END",
    "vault_join.joined_at": "CASE WHEN n % 2 = 0 THEN now() END",
    "closing.cancelled_at": "NULL",
    "closing_step.closing_id": "{id:closing:n % 2 + 1}",
    "closing_step.person_id": "CASE WHEN n % 2 = 0 THEN {id:person:n / 2} END",
    "closing_step.worker_id": "CASE WHEN n % 2 = 1 THEN {id:worker:n % 5000 + 1} END",
    "closing_step.step": "'step ' || n",
    "closing_step.way": "'sms'",
    "closing_step.done_at": "CASE WHEN n % 9 > 0 THEN now() END",
    "recovery.waiting_id": "{id:person:n}",
    "recovery.former_id": "{id:person:n + 5000}",
    "recovery.opened_at": "NULL",
    "recovery.began_at": "now() - n * interval '1 second'",
    "recovery.ended_at": "NULL",
    "recovery.ended_by": "NULL",
    "trusted_person.person_id": "{id:person:n}",
    "trusted_person.trusted_id": "CASE WHEN n % 2 = 0 THEN {id:person:n - 1} END",
    "trusted_person.code_tag": "CASE WHEN n % 2 = 1 THEN {tag:trusted:n} END",
    "trusted_person.created_at": "now() - n * interval '0.1 seconds'",
    "trusted_person.answered_at": "CASE WHEN n % 2 = 0 THEN now() END",
    "trusted_person.accepted_at": "CASE WHEN n % 2 = 0 THEN now() END",
    "representation.person_id": "{id:person:n}",
    "representation.representative_id": "CASE WHEN n % 2 = 0 THEN {id:person:n - 1} END",
    "representation.code_tag": "CASE WHEN n % 2 = 1 THEN {tag:representation:n} END",
    "representation.created_at": "now() - n * interval '0.1 seconds'",
    "representation.answered_at": "CASE WHEN n % 2 = 0 THEN now() END",
    "representation.began_at": "CASE WHEN n % 2 = 0 THEN now() END",
    "representation.ends_at": "CASE WHEN n % 2 = 0 THEN now() + n * interval '1 hour' END",
    "representation.ended_at": "CASE WHEN n % 4 = 0 THEN now() - n * interval '0.1 seconds' END",
    "trusted_person.ended_at": "CASE WHEN n % 4 = 0 THEN now() - n * interval '0.1 seconds' END",
    "message.channel": "'sms'",
    "message.attempts": "0",
    "message.created_at": "now() - interval '1 minute'",
    "message.due_at": "now() + least(n - 300, 290) * interval '1 second'",
    "message.expires_at": "now() + n * interval '1 minute' - interval '2 hours'",
    "pending_erasure.erases_at": "now() + n * interval '6 minutes' - interval '2 hours'",
    "pending_erasure.reminded_at": "CASE WHEN n < 50 THEN now() - interval '3 days' END",
    "person_label.worker_id": "{id:worker:n % 5000 + 1}",
    "person_label.person_id": "{id:person:n % 10000 + 1}",
    "pin.person_id": "{id:person:n}",
    "pin.digits": "6",
    "pin_step.kind": "'card'",
    "pin_step.expires_at": "now() + n * interval '2 seconds' - interval '10 minutes'",
    "report.event_id": "{id:access_event:n}",
    "report.answered_at": "CASE WHEN n % 20 > 0 THEN now() END",
    "root_version.active": "n = 10",
    "root_version.retire_at": "CASE WHEN n < 10 THEN now() END",
    "root_version.id": "'root-' || n",
    "sealed_file.version_id": "{id:document_version:(n + 1) / 2}",
    "sealed_file.person_id": "{id:person:((n + 1) / 2) % 10000 + 1}",
    "sealed_file.role": "CASE WHEN n % 2 = 0 THEN 'original' ELSE 'preview' END",
    "session.subject_kind": "'person'",
    "session.subject_id": "{id:person:n % 10000 + 1}",
    "session.expires_at": "now() + n * interval '2 minutes' - interval '5 hours'",
    "session.revoked_at": "CASE WHEN n % 100 = 0 THEN now() END",
    "session.worker_session_id": "CASE WHEN n % 500 = 277 THEN {id:session:n} END",
    "sign_in.kind": "'person'",
    "sign_in.created_at": "now() - n * interval '4.4 seconds'",
    "sign_in.network_tag": "{tag:network:n % 5000}",
    "sign_in_code.address_tag": "{tag:person:n % 10000}",
    "sign_in_code.lane": "'known'",
    "sign_in_code.created_at": "now() - n * interval '4.4 seconds'",
    "rate_bucket.full_at": "now() + (n - 500) * interval '0.01 seconds'",
    "sign_in_try.code_id": "{id:sign_in_code:n}",
    "signing_key.retired_at": "CASE WHEN n % 2 = 0 THEN now() END",
    "upload.person_id": "{id:person:n % 10000 + 1}",
    "upload.length": "9000",
    "upload.received": "100",
    "upload.expires_at": "now() + n * interval '4 seconds'",
    "archive.person_id": "{id:person:n % 10000 + 1}",
    "archive.kind": "'export'",
    "archive.ready_at": "NULL",
    "archive.done_at": "NULL",
    "archive.expires_at": "now() + n * interval '10 minutes'",
    "archive_piece.archive_id": "{id:archive:n}",
    "archive_piece.person_id": "{id:person:n % 10000 + 1}",
    "upload_piece.upload_id": "{id:upload:n}",
    "upload_piece.person_id": "{id:person:n % 10000 + 1}",
    "used_assertion.expires_at": "now() + n * interval '0.2 seconds' - interval '5 minutes'",
    "wrapped_key.kind": "CASE WHEN n > 10000 THEN 'service' ELSE 'owner' END",
    "wrapped_key.owner_id": "CASE WHEN n <= 10000 THEN {id:person:n} END",
    "wrapped_key.use": "CASE WHEN n > 10000 THEN 'use-' || n END",
    "wrapped_key.root_version": "'root-10'",
    "wrong_codes.address_tag": "{tag:person:n % 10000}",
    "wrong_codes.hour": "now() - n * interval '4.5 seconds'",
    "wrong_codes.lane": "'known'",
}

UNIQUE = {
    "audit_key": ("owner_id",),
    "browser": ("secret_hash",),
    "card": ("code_tag", "secret_tag"),
    "client": ("client_id",),
    "document_version": ("number",),
    "meeting": ("code_tag",),
    "vault_join": ("code_tag",),
    "recovery": ("code_tag", "stop_tag"),
    "trusted_person": ("code_tag",),
    "representation": ("code_tag",),
    "grant": ("request_id",),
    "person": ("phone_tag", "email_tag"),
    "report": ("event_id",),
    "sealed_file": ("blob_key", "position"),
    "session": ("token_hash",),
    "signing_key": ("kid",),
    "upload_piece": ("blob_key", "position"),
    "archive_piece": ("blob_key", "position"),
    "worker": ("email_tag",),
}
"""Columns of which no two rows have the same value."""


def growing() -> list[str]:
    """The names of the tables that grow with use."""
    return [table.name for table in Base.metadata.sorted_tables if table.name not in SMALL]


def rows_of(table: str) -> int:
    """How many rows a table is filled with."""
    return ROWS.get(table, DEFAULT_ROWS)


def fill(connection: "psycopg.Connection[Any]") -> None:
    """Fill every table, and let the planner know. The role must be a superuser: foreign keys
    are not checked."""
    connection.execute("SET session_replication_role = replica")
    for table in Base.metadata.sorted_tables:
        if table.name != "log_watch":  # filled by its migration
            connection.execute(_insertion(table).encode())
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")


def _insertion(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(_expanded(_value(table, column)) for column in table.columns)
    return (
        f'INSERT INTO unefois."{table.name}" ({names})'  # noqa: S608  (our names)
        f" SELECT {values} FROM generate_series(1, {rows_of(table.name)}) AS n"
    )


def _value(table: Table, column: Column[Any]) -> str:
    known = COLUMNS.get(f"{table.name}.{column.name}")
    if known is not None:
        return known
    for key in column.foreign_keys:
        referred = key.column.table.name
        return f"{{id:{referred}:(n - 1) % {rows_of(referred)} + 1}}"
    if isinstance(column.type, Uuid):
        return f"{{id:{table.name if column.primary_key else column.name}:n}}"
    return _by_type(table, column)


def _by_type(table: Table, column: Column[Any]) -> str:
    kinds: tuple[tuple[Any, str], ...] = (
        (LargeBinary, f"{{tag:{table.name}.{column.name}:n}}"),
        (DateTime, "now() - n * interval '20 minutes'"),
        (Boolean, "true"),
        (Integer, "1"),
        (JSON, "'{}'"),
        (ARRAY, "'{}'"),
    )
    for kind, value in kinds:
        if isinstance(column.type, kind):
            return value
    return f"'{table.name}-' || n"


def _expanded(expression: str) -> str:
    """`{id:person:5}` becomes an id of that table, `{tag:person:5}` a hash."""
    before, found, rest = expression.partition("{")
    if not found or rest.startswith("}"):
        return expression
    inside, _, after = rest.partition("}")
    kind, name, number = inside.split(":", 2)
    value = f"sha256(('{name}' || ({number}))::bytea)"
    if kind == "id":
        value = (
            f"(substr(md5('{name}'), 1, 8) || '-0000-7000-8000-'"
            f" || lpad(to_hex(({number})::int), 12, '0'))::uuid"
        )
    return before + value + _expanded(after)
