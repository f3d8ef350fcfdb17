"""Forms of the desk that opened a vault are remembered while they can be sent again; a person may
have an anchor, for a desk that opens their vault again."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Of forms sent before, in the half hour of the update, nothing is known. Nobody has an
    anchor."""
    _add_desk_form()
    _add_anchor()


def _add_desk_form() -> None:
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


def _add_anchor() -> None:
    op.create_table(
        "anchor",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_anchor_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_anchor")),
        schema="unefois",
    )
    op.execute("REVOKE ALL ON unefois.anchor FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.anchor TO unefois_service")
    op.execute(
        "GRANT UPDATE (id, edition, tag, enrolled_at, mac) ON unefois.anchor TO unefois_service"
    )
