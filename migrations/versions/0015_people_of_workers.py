"""A worker calls people by a label of their own; a sender withdraws a request."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_ANSWERS = "answer IN ('approved', 'refused', 'not_me', 'withdrawn')"


def upgrade() -> None:
    """Nobody has a label yet. A withdrawal is written into what its sender reads back."""
    op.create_table(
        "person_label",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["unefois.worker.id"],
            name=op.f("fk_person_label_worker_id_worker"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_person_label_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_label")),
        sa.UniqueConstraint(
            "worker_id", "person_id", name=op.f("uq_person_label_worker_id_person_id")
        ),
        schema="unefois",
    )
    op.create_index("ix_person_label_person_id", "person_label", ["person_id"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.person_label FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.person_label TO unefois_service")
    answered = op.f("ck_consent_request_answer")
    op.drop_constraint(answered, "consent_request", schema="unefois", type_="check")
    op.create_check_constraint(answered, "consent_request", _ANSWERS, schema="unefois")
    op.execute("GRANT UPDATE (sender_sealed) ON unefois.consent_request TO unefois_service")
