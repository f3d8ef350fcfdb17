"""Rates are counted by all processes together, and so are the requests of each sender."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_KINDS = "kind IN ('consent-request', 'give', 'report')"


def upgrade() -> None:
    """Nothing is counted yet: every bucket is full, and every sender's hour begins."""
    op.create_table(
        "rate_bucket",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_bucket")),
        schema="unefois",
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_rate_bucket_full_at", "rate_bucket", ["full_at"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.rate_bucket FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.rate_bucket TO unefois_service")
    op.execute("GRANT UPDATE (full_at, granted) ON unefois.rate_bucket TO unefois_service")
    op.drop_constraint(op.f("ck_attempt_kind"), "attempt", schema="unefois")
    op.create_check_constraint(op.f("ck_attempt_kind"), "attempt", _KINDS, schema="unefois")
