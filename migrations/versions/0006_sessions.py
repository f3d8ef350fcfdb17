"""Sessions say on what they were opened and carry a MAC; an erasure waits, and needs a code."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add them."""
    op.add_column("session", sa.Column("sealed", sa.LargeBinary()), schema="unefois")
    op.add_column("session", sa.Column("mac", sa.LargeBinary()), schema="unefois")
    op.execute("REVOKE UPDATE ON unefois.session FROM unefois_service")
    op.execute("GRANT UPDATE (revoked_at, mac) ON unefois.session TO unefois_service")
    _add_erasure_code()
    _add_pending_erasure()


def _add_erasure_code() -> None:
    op.create_table(
        "erasure_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("code_tag", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_erasure_code_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_code")),
        schema="unefois",
    )
    op.create_index(
        "ix_erasure_code_person_id_id", "erasure_code", ["person_id", "id"], schema="unefois"
    )
    op.execute("REVOKE ALL ON unefois.erasure_code FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.erasure_code TO unefois_service")
    op.execute("GRANT UPDATE (attempts, used_at) ON unefois.erasure_code TO unefois_service")


def _add_pending_erasure() -> None:
    op.create_table(
        "pending_erasure",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erases_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_pending_erasure_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_pending_erasure")),
        schema="unefois",
    )
    op.create_index(
        "ix_pending_erasure_erases_at", "pending_erasure", ["erases_at"], schema="unefois"
    )
    op.execute("REVOKE ALL ON unefois.pending_erasure FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.pending_erasure TO unefois_service")
    op.execute("GRANT UPDATE (reminded_at, mac) ON unefois.pending_erasure TO unefois_service")
