"""Reports: a person says that an access is not normal, and is answered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them, and their rate limit."""
    op.create_table(
        "report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_report_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        schema="unefois",
    )
    op.create_index("uq_report_event_id", "report", ["event_id"], unique=True, schema="unefois")
    op.create_index("ix_report_person_id", "report", ["person_id"], schema="unefois")
    op.create_index(
        "ix_report_waiting",
        "report",
        ["id"],
        schema="unefois",
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    # Erasure deletes them by the person's row: the service itself deletes none.
    op.execute("REVOKE ALL ON unefois.report FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.report TO unefois_service")
    op.execute("GRANT UPDATE (sealed, answered_at, mac) ON unefois.report TO unefois_service")
    op.drop_constraint(op.f("ck_attempt_kind"), "attempt", schema="unefois")
    op.create_check_constraint(
        op.f("ck_attempt_kind"), "attempt", "kind IN ('give', 'report')", schema="unefois"
    )
