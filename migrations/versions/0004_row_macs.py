"""Rows that decide carry a MAC; a grant is one row; the service's rights are those that it uses.

The rows that are there get their MAC by `unefois bind-rows`, which has the keyring.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TABLES = (
    "person",
    "worker",
    "client",
    "audit_key",
    "access_event",
    "access_outcome",
    "grant",
    "consent_request",
    "document",
    "document_version",
    "idempotency",
    "log_warning",
)
_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Add the columns, then rearrange."""
    for table in _TABLES:
        op.add_column(table, sa.Column("mac", sa.LargeBinary(), nullable=True), schema="unefois")
    op.add_column(
        "consent_request",
        sa.Column("sender_sealed", sa.LargeBinary(), nullable=True),
        schema="unefois",
    )
    op.add_column(
        "grant",
        sa.Column("type_tags", sa.ARRAY(sa.LargeBinary()), nullable=True),
        schema="unefois",
    )
    op.add_column(
        "grant", sa.Column("document_ids", sa.ARRAY(sa.Uuid()), nullable=True), schema="unefois"
    )
    op.execute((_SQL / "0004_after.sql").read_text())
