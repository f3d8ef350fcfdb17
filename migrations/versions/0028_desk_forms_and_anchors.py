"""Forms of the desk that opened a vault are remembered while they can be sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"


def upgrade() -> None:
    """Of those sent before, in the half hour of the update, nothing is known."""
    op.create_table(
        "desk_form",
        sa.Column("form_tag", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("form_tag", name=op.f("pk_desk_form")),
        schema="unefois",
    )
    op.create_index("ix_desk_form_sent_at", "desk_form", ["sent_at"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.desk_form FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.desk_form TO unefois_service")
