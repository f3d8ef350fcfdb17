"""An operator lets a structure open vaults at its desk: its sealed fields say so."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Until then no structure does."""
    op.execute("GRANT UPDATE (sealed) ON unefois.organisation TO unefois_service")
