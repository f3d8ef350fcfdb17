"""A session may be assisted: opened from one of a worker, which is locked meanwhile."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """No session of before is."""
    op.add_column("session", sa.Column("worker_session_id", sa.Uuid()), schema="unefois")
    op.create_index(
        "ix_session_worker_session_id",
        "session",
        ["worker_session_id"],
        schema="unefois",
        postgresql_where=sa.text("worker_session_id IS NOT NULL"),
    )
