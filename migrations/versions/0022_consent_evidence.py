"""Evidence of consent: by what act a person gave, or ended, a grant."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_TIME = sa.DateTime(timezone=True)

# Each kind is complete, or is not a row. Anything unknown in it makes it false: a constraint whose
# value is unknown would let the row in.
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
        level IS NULL AND channel = 'paper'
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NOT NULL
    WHEN 'spoken' THEN
        channel IN ('api', 'pages') AND worker_id IS NOT NULL AND mandate_id IS NULL
        AND heard_by IN ('witness', 'interpreter') AND worker_tag <> heard_by_tag
END) IS TRUE"""


def upgrade() -> None:
    """Grants of before have none: nobody knows it of them."""
    op.create_table(
        "consent_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("template_hash", sa.LargeBinary(), nullable=False),
        sa.Column("wording_hash", sa.LargeBinary(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("worker_tag", sa.LargeBinary(), nullable=True),
        sa.Column("heard_by", sa.String(), nullable=True),
        sa.Column("heard_by_tag", sa.LargeBinary(), nullable=True),
        sa.Column("mandate_id", sa.Uuid(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "change IN ('given', 'approved', 'revoked')", name=op.f("ck_consent_evidence_change")
        ),
        sa.CheckConstraint(_COMPLETE, name=op.f("ck_consent_evidence_complete")),
        sa.CheckConstraint(
            "level IN ('phone_code', 'card_pin')", name=op.f("ck_consent_evidence_level")
        ),
        sa.CheckConstraint(
            "octet_length(template_hash) = 32 AND octet_length(wording_hash) = 32"
            " AND language <> '' AND template <> ''",
            name=op.f("ck_consent_evidence_wording"),
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["unefois.grant.id"],
            name=op.f("fk_consent_evidence_grant_id_grant"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_consent_evidence_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_evidence")),
        schema="unefois",
    )
    # A grant is given once, and ended once.
    op.create_index(
        "uq_consent_evidence_grant_id_change",
        "consent_evidence",
        ["grant_id", sa.text("(change = 'revoked')")],
        unique=True,
        schema="unefois",
    )
    op.create_index(
        "ix_consent_evidence_person_id", "consent_evidence", ["person_id"], schema="unefois"
    )
    op.execute("REVOKE ALL ON unefois.consent_evidence FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.consent_evidence TO unefois_service")
