"""The copy for recipients of a version held from before is made anew by today's rules."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """The service may replace what a version gives, and the rows of its copy and preview."""
    op.execute("GRANT UPDATE (sealed) ON unefois.document_version TO unefois_service")
    op.execute("GRANT DELETE ON unefois.sealed_file TO unefois_service")
