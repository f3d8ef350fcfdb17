"""An upload that a form names lives as long as the paper that it is added to."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Its end moves, as its MAC does."""
    op.execute("GRANT UPDATE (expires_at) ON unefois.upload TO unefois_service")
