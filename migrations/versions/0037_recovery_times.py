"""Recoveries are found by when they open, and by when they began."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """What the hourly job reads."""
    table = {"table_name": "recovery", "schema": "unefois"}
    op.create_index(
        "ix_recovery_opens_at",
        columns=["opens_at"],
        postgresql_where=sa.text("ended_at IS NULL AND opened_at IS NULL"),
        **table,
    )
    op.create_index(
        "ix_recovery_began_at",
        columns=["began_at"],
        postgresql_where=sa.text("opened_at IS NULL"),
        **table,
    )
