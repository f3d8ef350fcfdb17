"""The log's retention: who was told that a year of their log will say nothing any more."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add it."""
    op.create_table(
        "log_warning",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["unefois.person.id"],
            name=op.f("fk_log_warning_owner_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "year", name=op.f("pk_log_warning")),
        schema="unefois",
    )
    op.execute("REVOKE ALL ON unefois.log_warning FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.log_warning TO unefois_service")
