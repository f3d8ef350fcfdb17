"""A person under tutelle may be represented from another vault."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_CHECKS = {
    "somebody": "person_id IS NOT NULL OR representative_id IS NOT NULL",
    "two": "representative_id <> person_id",
    "answered": "(answered_at IS NULL) = (representative_id IS NULL)",
    "judgement": "(began_at IS NULL) = (ends_at IS NULL)",
    "began": "began_at IS NULL OR person_id IS NOT NULL AND answered_at IS NOT NULL",
    "code": "code_tag IS NULL OR ended_at IS NULL",
}
_PEOPLE = ("person_id", "representative_id")
_TIMES = ("answered_at", "began_at", "ends_at", "ended_at")
_CHANGED = (*_PEOPLE, "code_tag", "sealed", *_TIMES, "mac")


def upgrade() -> None:
    """Nobody is represented yet."""
    op.create_table(
        "representation",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in _PEOPLE),
        sa.Column("code_tag", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _TIMES),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_representation_{name}"))
            for name, rule in _CHECKS.items()
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                ["unefois.person.id"],
                name=op.f(f"fk_representation_{column}_person"),
                ondelete="CASCADE",
            )
            for column in _PEOPLE
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_representation")),
        schema="unefois",
    )
    _add_indexes()
    table = "unefois.representation"
    op.execute(f"REVOKE ALL ON {table} FROM unefois_service")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON {table} TO unefois_service")
    op.execute(f"GRANT UPDATE ({', '.join(_CHANGED)}) ON {table} TO unefois_service")


def _add_indexes() -> None:
    table = {"table_name": "representation", "schema": "unefois"}
    op.create_index("uq_representation_code_tag", columns=["code_tag"], unique=True, **table)
    for column in _PEOPLE:
        op.create_index(f"ix_representation_{column}", columns=[column], **table)
    for column, rule in (("created_at", "began_at IS NULL"), ("ended_at", "ended_at IS NOT NULL")):
        op.create_index(
            f"ix_representation_{column}",
            columns=[column],
            postgresql_where=sa.text(rule),
            **table,
        )
