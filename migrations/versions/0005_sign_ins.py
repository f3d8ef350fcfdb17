"""Browsers that signed in before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "browser",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "subject_kind IN ('person', 'worker')", name=op.f("ck_browser_subject_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser")),
        schema="unefois",
    )
    op.create_index(
        "uq_browser_secret_hash", "browser", ["secret_hash"], unique=True, schema="unefois"
    )
    op.create_index("ix_browser_subject_id", "browser", ["subject_id"], schema="unefois")
    op.create_index("ix_browser_used_at", "browser", ["used_at"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.browser FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.browser TO unefois_service")
