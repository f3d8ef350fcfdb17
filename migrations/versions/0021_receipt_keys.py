"""Keys that sign receipts."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """None is made yet: the first receipt makes it. None is ever deleted."""
    op.create_table(
        "receipt_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("unefois.now()"), nullable=False),
        sa.Column("retired_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_key")),
        schema="unefois",
    )
    op.execute("REVOKE ALL ON unefois.receipt_key FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.receipt_key TO unefois_service")
    op.execute("GRANT UPDATE (sealed, retired_at) ON unefois.receipt_key TO unefois_service")
