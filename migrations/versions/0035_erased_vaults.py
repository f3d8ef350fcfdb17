"""A mark of each vault that was erased, by which the rows of an older backup are known again."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Of vaults that were erased before, nothing says which they were."""
    op.create_table(
        "erased_vault",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_erased_vault")),
        schema="unefois",
    )
    op.execute("REVOKE ALL ON unefois.erased_vault FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.erased_vault TO unefois_service")
