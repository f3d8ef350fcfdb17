"""Uploads in pieces: what was received so far, until a document is made of it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them, and the pieces that they consist of."""
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("received >= 0 AND received <= length", name=op.f("ck_upload_received")),
        sa.CheckConstraint("pieces >= 0", name=op.f("ck_upload_pieces")),
        _of_a_person("upload"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        schema="unefois",
    )
    op.create_index("ix_upload_person_id", "upload", ["person_id"], schema="unefois")
    op.create_index("ix_upload_expires_at", "upload", ["expires_at"], schema="unefois")
    op.create_table(
        "upload_piece",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_upload_piece_position")),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["unefois.upload.id"],
            name=op.f("fk_upload_piece_upload_id_upload"),
            ondelete="CASCADE",
        ),
        _of_a_person("upload_piece"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_piece")),
        sa.UniqueConstraint(
            "upload_id", "position", name=op.f("uq_upload_piece_upload_id_position")
        ),
        schema="unefois",
    )
    op.create_index(
        "uq_upload_piece_blob_key", "upload_piece", ["blob_key"], unique=True, schema="unefois"
    )
    op.create_index("ix_upload_piece_person_id", "upload_piece", ["person_id"], schema="unefois")
    for table in ("upload", "upload_piece"):
        op.execute(f"REVOKE ALL ON unefois.{table} FROM unefois_service")
    # The rows of pieces go with those of their uploads.
    op.execute("GRANT SELECT, INSERT ON unefois.upload_piece TO unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.upload TO unefois_service")
    op.execute("GRANT UPDATE (received, pieces, refused, mac) ON unefois.upload TO unefois_service")


def _of_a_person(table: str) -> sa.ForeignKeyConstraint:
    """Erasure takes it away."""
    return sa.ForeignKeyConstraint(
        ["person_id"],
        ["unefois.person.id"],
        name=op.f(f"fk_{table}_person_id_person"),
        ondelete="CASCADE",
    )
