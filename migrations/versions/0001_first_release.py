"""The first release: every table, the clock, the roles, the log that only grows."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Create everything, from empty."""
    _run((_SQL / "0001_before.sql").read_text())
    op.create_table(
        "access_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("person_tag", sa.LargeBinary(), nullable=True),
        sa.Column("actor_tag", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "octet_length(commitment) = 32", name=op.f("ck_access_event_commitment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_event")),
        schema="unefois",
    )
    op.create_index(
        "ix_access_event_actor_tag_id",
        "access_event",
        ["actor_tag", "id"],
        unique=False,
        schema="unefois",
    )
    op.create_index(
        "ix_access_event_person_tag_id",
        "access_event",
        ["person_tag", "id"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint("kind IN ('give')", name=op.f("ck_attempt_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        schema="unefois",
    )
    op.create_index(
        "ix_attempt_created_at", "attempt", ["created_at"], unique=False, schema="unefois"
    )
    op.create_index(
        "ix_attempt_subject_id_kind_id",
        "attempt",
        ["subject_id", "kind", "id"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "audit_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_key")),
        schema="unefois",
    )
    op.create_index(
        "uq_audit_key_owner_year",
        "audit_key",
        ["owner_id", "year"],
        unique=True,
        schema="unefois",
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "idempotency",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotency")),
        schema="unefois",
    )
    op.create_index(
        "ix_idempotency_created_at", "idempotency", ["created_at"], unique=False, schema="unefois"
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=True,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_message_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        schema="unefois",
    )
    op.create_index("ix_message_due_at", "message", ["due_at"], unique=False, schema="unefois")
    op.create_index(
        "ix_message_expires_at", "message", ["expires_at"], unique=False, schema="unefois"
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        schema="unefois",
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_tag", sa.LargeBinary(), nullable=True),
        sa.Column("email_tag", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column(
            "used_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        schema="unefois",
    )
    op.create_index("uq_person_email_tag", "person", ["email_tag"], unique=True, schema="unefois")
    op.create_index("uq_person_phone_tag", "person", ["phone_tag"], unique=True, schema="unefois")
    op.create_table(
        "root_version",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column("retire_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "NOT (active AND retire_at IS NOT NULL)", name=op.f("ck_root_version_active_lives")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_root_version")),
        schema="unefois",
    )
    op.create_index(
        "uq_root_version_active",
        "root_version",
        ["active"],
        unique=True,
        schema="unefois",
        postgresql_where="active",
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "subject_kind IN ('person', 'worker')", name=op.f("ck_session_subject_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        schema="unefois",
    )
    op.create_index(
        "ix_session_expires_at", "session", ["expires_at"], unique=False, schema="unefois"
    )
    op.create_index(
        "ix_session_subject_id", "session", ["subject_id"], unique=False, schema="unefois"
    )
    op.create_index(
        "uq_session_token_hash", "session", ["token_hash"], unique=True, schema="unefois"
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("address_tag", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("code_tag", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('person', 'worker')", name=op.f("ck_sign_in_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        schema="unefois",
    )
    op.create_index(
        "ix_sign_in_address_tag_created_at",
        "sign_in",
        ["address_tag", "created_at"],
        unique=False,
        schema="unefois",
    )
    op.create_index(
        "ix_sign_in_created_at", "sign_in", ["created_at"], unique=False, schema="unefois"
    )
    op.create_table(
        "signing_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_key")),
        schema="unefois",
    )
    op.create_index("uq_signing_key_kid", "signing_key", ["kid"], unique=True, schema="unefois")
    op.create_table(
        "used_assertion",
        sa.Column("jti_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti_hash", name=op.f("pk_used_assertion")),
        schema="unefois",
    )
    op.create_index(
        "ix_used_assertion_expires_at",
        "used_assertion",
        ["expires_at"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "wrapped_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("use", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("root_version", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(kind = 'owner') = (owner_id IS NOT NULL)", name=op.f("ck_wrapped_key_owner")
        ),
        sa.CheckConstraint(
            "(kind = 'service') = (use IS NOT NULL)", name=op.f("ck_wrapped_key_use")
        ),
        sa.CheckConstraint("kind IN ('owner', 'service')", name=op.f("ck_wrapped_key_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrapped_key")),
        schema="unefois",
    )
    op.create_index(
        "ix_wrapped_key_root_version",
        "wrapped_key",
        ["root_version"],
        unique=False,
        schema="unefois",
    )
    op.create_index(
        "uq_wrapped_key_owner", "wrapped_key", ["owner_id"], unique=True, schema="unefois"
    )
    op.create_index("uq_wrapped_key_use", "wrapped_key", ["use"], unique=True, schema="unefois")
    op.create_table(
        "access_outcome",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('completed', 'interrupted')", name=op.f("ck_access_outcome_state")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["unefois.access_event.id"],
            name=op.f("fk_access_outcome_event_id_access_event"),
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_access_outcome")),
        schema="unefois",
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("jwks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["unefois.organisation.id"],
            name=op.f("fk_client_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        schema="unefois",
    )
    op.create_index("uq_client_client_id", "client", ["client_id"], unique=True, schema="unefois")
    op.create_table(
        "consent_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requester_kind", sa.String(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("phone_tag", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "answer IN ('approved', 'refused', 'not_me')", name=op.f("ck_consent_request_answer")
        ),
        sa.CheckConstraint(
            "requester_kind IN ('worker', 'client')", name=op.f("ck_consent_request_requester_kind")
        ),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_consent_request_answered")
        ),
        sa.CheckConstraint("lapses_at > created_at", name=op.f("ck_consent_request_lapses")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_consent_request_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_request")),
        schema="unefois",
    )
    op.create_index(
        "ix_consent_request_person_id_id",
        "consent_request",
        ["person_id", "id"],
        unique=False,
        schema="unefois",
    )
    op.create_index(
        "ix_consent_request_phone_tag",
        "consent_request",
        ["phone_tag"],
        unique=False,
        schema="unefois",
    )
    op.create_index(
        "ix_consent_request_requester_id_id",
        "consent_request",
        ["requester_id", "id"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("type_tag", sa.LargeBinary(), nullable=False),
        sa.Column(
            "typed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column("deposited_by_kind", sa.String(), nullable=False),
        sa.Column("deposited_by_id", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "deposited_by_kind IN ('owner', 'worker', 'client')", name=op.f("ck_document_depositor")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_document_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        schema="unefois",
    )
    op.create_index(
        "ix_document_deleted_at",
        "document",
        ["deleted_at"],
        unique=False,
        schema="unefois",
        postgresql_where="deleted_at IS NOT NULL",
    )
    op.create_index(
        "ix_document_notice_at",
        "document",
        ["notice_at"],
        unique=False,
        schema="unefois",
        postgresql_where="notice_at IS NOT NULL",
    )
    op.create_index(
        "ix_document_person_id_id", "document", ["person_id", "id"], unique=False, schema="unefois"
    )
    op.create_index(
        "ix_document_person_id_type_tag",
        "document",
        ["person_id", "type_tag"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("email_tag", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["unefois.organisation.id"],
            name=op.f("fk_worker_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        schema="unefois",
    )
    op.create_index("uq_worker_email_tag", "worker", ["email_tag"], unique=True, schema="unefois")
    op.create_table(
        "document_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_tag", sa.LargeBinary(), nullable=False),
        sa.Column("scan", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "scan IN ('not_scanned', 'waiting', 'clean', 'infected')",
            name=op.f("ck_document_version_scan"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_document_version_number")),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["unefois.document.id"],
            name=op.f("fk_document_version_document_id_document"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_document_version_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_version")),
        sa.UniqueConstraint(
            "document_id", "number", name=op.f("uq_document_version_document_id_number")
        ),
        schema="unefois",
    )
    op.create_index(
        "ix_document_version_person_id_content_tag",
        "document_version",
        ["person_id", "content_tag"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("recipient_kind", sa.String(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("may_attest", sa.Boolean(), nullable=False),
        sa.Column("may_read", sa.Boolean(), nullable=False),
        sa.Column("may_deposit", sa.Boolean(), nullable=False),
        sa.Column("covers_future", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "ends_at <= given_at + interval '12 months'", name=op.f("ck_grant_a_year_at_most")
        ),
        sa.CheckConstraint(
            "recipient_kind IN ('worker', 'client')", name=op.f("ck_grant_recipient_kind")
        ),
        sa.CheckConstraint("ends_at > given_at", name=op.f("ck_grant_ends")),
        sa.CheckConstraint(
            "may_attest OR may_read OR may_deposit", name=op.f("ck_grant_some_action")
        ),
        sa.CheckConstraint(
            "revoked_at IS NULL OR revoked_at >= given_at", name=op.f("ck_grant_revoked")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_grant_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["unefois.consent_request.id"],
            name=op.f("fk_grant_request_id_consent_request"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        schema="unefois",
    )
    op.create_index("ix_grant_ends_at", "grant", ["ends_at"], unique=False, schema="unefois")
    op.create_index(
        "ix_grant_person_id_id", "grant", ["person_id", "id"], unique=False, schema="unefois"
    )
    op.create_index(
        "ix_grant_recipient_id_id", "grant", ["recipient_id", "id"], unique=False, schema="unefois"
    )
    op.create_index("uq_grant_request_id", "grant", ["request_id"], unique=True, schema="unefois")
    op.create_table(
        "grant_document",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["unefois.document.id"],
            name=op.f("fk_grant_document_document_id_document"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["unefois.grant.id"],
            name=op.f("fk_grant_document_grant_id_grant"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("grant_id", "document_id", name=op.f("pk_grant_document")),
        schema="unefois",
    )
    op.create_index(
        "ix_grant_document_document_id",
        "grant_document",
        ["document_id"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "grant_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("by_kind", sa.String(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "by_kind IN ('owner', 'worker', 'client')", name=op.f("ck_grant_history_by_kind")
        ),
        sa.CheckConstraint(
            "step IN ('given', 'approved', 'revoked')", name=op.f("ck_grant_history_step")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["unefois.grant.id"],
            name=op.f("fk_grant_history_grant_id_grant"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_history")),
        schema="unefois",
    )
    op.create_index(
        "ix_grant_history_grant_id_id",
        "grant_history",
        ["grant_id", "id"],
        unique=False,
        schema="unefois",
    )
    op.create_table(
        "grant_type",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("type_tag", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["unefois.grant.id"],
            name=op.f("fk_grant_type_grant_id_grant"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("grant_id", "type_tag", name=op.f("pk_grant_type")),
        schema="unefois",
    )
    op.create_table(
        "sealed_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "role IN ('original', 'rendition', 'preview')", name=op.f("ck_sealed_file_role")
        ),
        sa.CheckConstraint("position >= 0", name=op.f("ck_sealed_file_position")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_sealed_file_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["unefois.document_version.id"],
            name=op.f("fk_sealed_file_version_id_document_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_file")),
        sa.UniqueConstraint(
            "version_id", "role", "position", name=op.f("uq_sealed_file_version_id_role_position")
        ),
        schema="unefois",
    )
    op.create_index(
        "uq_sealed_file_blob_key", "sealed_file", ["blob_key"], unique=True, schema="unefois"
    )
    _run(SchemaManager.get_schema())
    _run((_SQL / "0001_after.sql").read_text())


def _run(script: str) -> None:
    """Run a script of several statements, as it stands."""
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None  # noqa: S101  (a live connection)
    connection.execute(script.encode())
