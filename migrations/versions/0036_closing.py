"""The closing of the service, announced three months before, and what was done of it for each."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """No closing is announced."""
    _add_closing()
    _add_closing_step()


def _add_closing() -> None:
    op.create_table(
        "closing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
        schema="unefois",
    )
    op.execute("REVOKE ALL ON unefois.closing FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.closing TO unefois_service")
    op.execute("GRANT UPDATE (cancelled_at, mac) ON unefois.closing TO unefois_service")


def _add_closing_step() -> None:
    op.create_table(
        "closing_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("closing_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(person_id, worker_id) = 1", name=op.f("ck_closing_step_subject")
        ),
        sa.CheckConstraint("way IN ('sms', 'email', 'page')", name=op.f("ck_closing_step_way")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_closing_step_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["unefois.worker.id"], name=op.f("fk_closing_step_worker_id_worker")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_step")),
        schema="unefois",
    )
    for subject in ("person", "worker"):
        op.create_index(
            f"uq_closing_step_{subject}",
            "closing_step",
            [f"{subject}_id", "closing_id", "step"],
            unique=True,
            schema="unefois",
        )
    op.execute("REVOKE ALL ON unefois.closing_step FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.closing_step TO unefois_service")
    op.execute("GRANT UPDATE (way, done_at, mac) ON unefois.closing_step TO unefois_service")
