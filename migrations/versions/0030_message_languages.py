"""A person chooses the language of their messages."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """The service may change it; nothing of before changes."""
    op.execute("GRANT UPDATE (language) ON unefois.person TO unefois_service")
