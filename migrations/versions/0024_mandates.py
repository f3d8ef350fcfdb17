"""Mandates signed on paper: evidence of one has a session and a mandate that was signed."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_TIME = sa.DateTime(timezone=True)

# As in 0022, but that a mandate, and a yes said aloud, need a session, which the person entered. No
# row of a mandate was written; each yes said aloud has its session's level.
_COMPLETE = """(CASE kind
    WHEN 'app' THEN
        level IS NOT NULL AND channel IN ('api', 'pages')
        AND worker_id IS NULL AND heard_by IS NULL AND mandate_id IS NULL
    WHEN 'code_read_out' THEN
        level = 'phone_code' AND channel IN ('api', 'pages')
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NULL
    WHEN 'card_pin_on_workers_screen' THEN
        level = 'card_pin' AND channel IN ('api', 'pages')
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NULL
    WHEN 'signed_mandate' THEN
        level IS NOT NULL AND channel = 'paper'
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NOT NULL
    WHEN 'spoken' THEN
        level IS NOT NULL AND channel IN ('api', 'pages')
        AND worker_id IS NOT NULL AND mandate_id IS NULL
        AND heard_by IN ('witness', 'interpreter') AND worker_tag <> heard_by_tag
END) IS TRUE"""


def upgrade() -> None:
    """A row is a mandate that was signed, with its scan; a draft is among the requests."""
    op.create_table(
        "mandate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("template_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scan_tag", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "octet_length(template_hash) = 32 AND octet_length(scan_tag) = 32"
            " AND language <> '' AND template <> ''",
            name=op.f("ck_mandate_whole"),
        ),
        sa.CheckConstraint("seen_at >= signed_at", name=op.f("ck_mandate_seen")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_mandate_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        schema="unefois",
    )
    op.create_index("ix_mandate_person_id", "mandate", ["person_id"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.mandate FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.mandate TO unefois_service")
    op.execute("GRANT UPDATE (seen_at, mac) ON unefois.mandate TO unefois_service")
    # A person who is seen again: the mandate's grants go on.
    op.execute('GRANT UPDATE (ends_at) ON unefois."grant" TO unefois_service')

    op.drop_constraint(
        op.f("ck_consent_evidence_complete"), "consent_evidence", schema="unefois", type_="check"
    )
    op.create_check_constraint(
        op.f("ck_consent_evidence_complete"), "consent_evidence", _COMPLETE, schema="unefois"
    )
    # A person who lets a mandate go on: an act of theirs, each time.
    op.drop_constraint(
        op.f("ck_consent_evidence_change"), "consent_evidence", schema="unefois", type_="check"
    )
    op.create_check_constraint(
        op.f("ck_consent_evidence_change"),
        "consent_evidence",
        "change IN ('given', 'approved', 'went_on', 'revoked')",
        schema="unefois",
    )
    op.drop_index(
        "uq_consent_evidence_grant_id_change", table_name="consent_evidence", schema="unefois"
    )
    op.create_index(
        "uq_consent_evidence_grant_id_change",
        "consent_evidence",
        ["grant_id", sa.text("(change = 'revoked')")],
        unique=True,
        schema="unefois",
        postgresql_where=sa.text("change <> 'went_on'"),
    )
    op.create_index(
        "ix_consent_evidence_grant_id", "consent_evidence", ["grant_id"], schema="unefois"
    )
    # Compared at the commit: the mandate names the grants, which are made first.
    op.create_foreign_key(
        op.f("fk_consent_evidence_mandate_id_mandate"),
        "consent_evidence",
        "mandate",
        ["mandate_id"],
        ["id"],
        source_schema="unefois",
        referent_schema="unefois",
        ondelete="CASCADE",
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_index(
        "ix_consent_evidence_mandate_id",
        "consent_evidence",
        ["mandate_id"],
        schema="unefois",
    )
