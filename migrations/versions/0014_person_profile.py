"""A person's phone may be kept in the form of today, and their time zone beside it, sealed."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """What the person changes when they sign in, and in their settings; never whose row it is."""
    op.execute("GRANT UPDATE (phone_tag, sealed) ON unefois.person TO unefois_service")
