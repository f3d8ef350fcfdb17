"""A person may name somebody whom they trust to say at a desk that it is them."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

_CHECKS = {
    "two": "trusted_id <> person_id",
    "answered": "(answered_at IS NULL) = (trusted_id IS NULL)",
    "accepted": "accepted_at IS NULL OR answered_at IS NOT NULL",
    "code": (
        "code_tag IS NULL OR ended_at IS NULL AND (answered_at IS NULL OR accepted_at IS NOT NULL)"
    ),
}
_CHANGED = ("trusted_id", "code_tag", "sealed", "answered_at", "accepted_at", "ended_at", "mac")


def upgrade() -> None:
    """Nobody named anybody yet."""
    op.create_table(
        "trusted_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("trusted_id", sa.Uuid(), nullable=True),
        sa.Column("code_tag", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_trusted_person_{name}"))
            for name, rule in _CHECKS.items()
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                ["unefois.person.id"],
                name=op.f(f"fk_trusted_person_{column}_person"),
                ondelete="CASCADE",
            )
            for column in ("person_id", "trusted_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trusted_person")),
        schema="unefois",
    )
    _add_indexes()
    table = "unefois.trusted_person"
    op.execute(f"REVOKE ALL ON {table} FROM unefois_service")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON {table} TO unefois_service")
    op.execute(f"GRANT UPDATE ({', '.join(_CHANGED)}) ON {table} TO unefois_service")


def _add_indexes() -> None:
    table = {"table_name": "trusted_person", "schema": "unefois"}
    op.create_index("uq_trusted_person_code_tag", columns=["code_tag"], unique=True, **table)
    for column in ("person_id", "trusted_id"):
        op.create_index(f"ix_trusted_person_{column}", columns=[column], **table)
    for column, rule in (
        ("created_at", "accepted_at IS NULL"),
        ("ended_at", "ended_at IS NOT NULL"),
    ):
        op.create_index(
            f"ix_trusted_person_{column}",
            columns=[column],
            postgresql_where=sa.text(rule),
            **table,
        )
