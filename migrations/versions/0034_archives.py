"""A copy of all that a vault has, to be taken away; and one of elsewhere, to be put in."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_TIME = sa.DateTime(timezone=True)
_CHECKS = {
    "kind": "kind IN ('export', 'import')",
    "length": "length >= 0",
    "pieces": "pieces >= 0",
    "done": "done_at IS NULL OR ready_at IS NOT NULL",
}
_CHANGED = (
    "attempt",
    "length",
    "pieces",
    "ready_at",
    "done_at",
    "expires_at",
    "sealed",
    "mac",
)


def upgrade() -> None:
    """Nobody asked for one yet."""
    _add_archives()
    _add_pieces()
    for table in ("archive", "archive_piece"):
        op.execute(f"REVOKE ALL ON unefois.{table} FROM unefois_service")
        op.execute(f"GRANT SELECT, INSERT, DELETE ON unefois.{table} TO unefois_service")
    op.execute(f"GRANT UPDATE ({', '.join(_CHANGED)}) ON unefois.archive TO unefois_service")


def _add_archives() -> None:
    op.create_table(
        "archive",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("ready_at", _TIME, nullable=True),
        sa.Column("done_at", _TIME, nullable=True),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_archive_{name}"))
            for name, rule in _CHECKS.items()
        ),
        _of_a_person("archive"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive")),
        schema="unefois",
    )
    op.create_index("ix_archive_person_id", "archive", ["person_id"], schema="unefois")
    op.create_index("ix_archive_expires_at", "archive", ["expires_at"], schema="unefois")


def _add_pieces() -> None:
    op.create_table(
        "archive_piece",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("archive_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_archive_piece_position")),
        sa.CheckConstraint("length > 0", name=op.f("ck_archive_piece_length")),
        sa.ForeignKeyConstraint(
            ["archive_id"],
            ["unefois.archive.id"],
            name=op.f("fk_archive_piece_archive_id_archive"),
            ondelete="CASCADE",
        ),
        _of_a_person("archive_piece"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_piece")),
        sa.UniqueConstraint(
            "archive_id", "position", name=op.f("uq_archive_piece_archive_id_position")
        ),
        schema="unefois",
    )
    op.create_index(
        "uq_archive_piece_blob_key", "archive_piece", ["blob_key"], unique=True, schema="unefois"
    )
    op.create_index("ix_archive_piece_person_id", "archive_piece", ["person_id"], schema="unefois")


def _of_a_person(table: str) -> sa.ForeignKeyConstraint:
    """Erasure takes it away."""
    return sa.ForeignKeyConstraint(
        ["person_id"],
        ["unefois.person.id"],
        name=op.f(f"fk_{table}_person_id_person"),
        ondelete="CASCADE",
    )
