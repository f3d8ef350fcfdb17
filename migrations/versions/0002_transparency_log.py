"""The log that anyone can verify: leaves, checkpoints, the log's key, and waking its sequencer."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Add them. Events recorded before become leaves once a sequencer runs."""
    op.create_table(
        "log_leaf",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("index >= 0", name=op.f("ck_log_leaf_index")),
        sa.CheckConstraint("octet_length(entry) = 64", name=op.f("ck_log_leaf_entry")),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_log_leaf_event_id")),
        schema="unefois",
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint("size >= 0", name=op.f("ck_log_checkpoint_size")),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("ck_log_checkpoint_root")),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
        schema="unefois",
    )
    op.create_table(
        "log_key",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("unefois.now()"),
            nullable=False,
        ),
        sa.CheckConstraint("one", name=op.f("ck_log_key_one")),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_log_key_public_key")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_log_key")),
        schema="unefois",
    )
    op.create_table(
        "log_watch",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("asleep", sa.Boolean(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_log_watch_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_log_watch")),
        schema="unefois",
    )
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None  # noqa: S101  (a live connection)
    connection.execute((_SQL / "0002_after.sql").read_bytes())
