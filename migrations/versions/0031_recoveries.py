"""A vault opened at the desk may be tied to the one that its person lost every means of."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_CHECKS = {
    "two": "former_id <> waiting_id",
    "complete": "(complete_at IS NULL) = (earliest_at IS NULL)",
    "opens": "opens_at IS NULL OR complete_at IS NOT NULL",
    "opened": (
        "opened_at IS NULL OR (opens_at IS NOT NULL AND opened_at >= opens_at AND ended_at IS NULL)"
    ),
    "ended": "(ended_at IS NULL) = (ended_by IS NULL)",
    "ended_by": (
        "ended_by IN ('holder', 'session', 'phone', 'trusted', 'worker', 'waiting', 'lapse')"
    ),
}
_TIMES = ("complete_at", "earliest_at", "opens_at", "opened_at", "ended_at")
_CHANGED = (
    "former_id",
    "code_tag",
    "stop_tag",
    *_TIMES,
    "ended_by",
    "reminded_at",
    "sealed",
    "mac",
)


def upgrade() -> None:
    """Nobody asked for anything yet."""
    op.create_table(
        "recovery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("waiting_id", sa.Uuid(), nullable=False),
        sa.Column("former_id", sa.Uuid(), nullable=True),
        sa.Column("code_tag", sa.LargeBinary(), nullable=True),
        sa.Column("stop_tag", sa.LargeBinary(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _TIMES),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_recovery_{name}"))
            for name, rule in _CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["waiting_id"],
            ["unefois.person.id"],
            name=op.f("fk_recovery_waiting_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
        schema="unefois",
    )
    _add_indexes()
    op.execute("REVOKE ALL ON unefois.recovery FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.recovery TO unefois_service")
    op.execute(f"GRANT UPDATE ({', '.join(_CHANGED)}) ON unefois.recovery TO unefois_service")
    # A vault is looked for by what its person's identity paper says.
    op.create_index("ix_anchor_tag", "anchor", ["tag"], schema="unefois")


def _add_indexes() -> None:
    table = {"table_name": "recovery", "schema": "unefois"}
    for column in ("waiting_id", "code_tag", "stop_tag"):
        op.create_index(f"uq_recovery_{column}", columns=[column], unique=True, **table)
    op.create_index(
        "ix_recovery_former_id",
        columns=["former_id"],
        postgresql_where=sa.text("former_id IS NOT NULL"),
        **table,
    )
