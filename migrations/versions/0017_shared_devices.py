"""The end of a session on a shared device moves while it is used."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """No session of before moves: its token says so."""
    op.execute("GRANT UPDATE (expires_at) ON unefois.session TO unefois_service")
