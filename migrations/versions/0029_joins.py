"""Two vaults of one person may be joined: the one in which the other ended is told for good."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

_CHECKS = {
    "two": "stays_id <> person_id",
    "answered": "(answered_at IS NULL) = (stays_id IS NULL)",
    "code": "answered_at IS NULL OR code_tag IS NULL",
    "joined": "joined_at IS NULL OR answered_at IS NOT NULL",
}
_CHANGED = ("stays_id", "code_tag", "sealed", "answered_at", "joined_at", "mac")


def upgrade() -> None:
    """Nobody joined anything yet."""
    op.create_table(
        "vault_join",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("stays_id", sa.Uuid(), nullable=True),
        sa.Column("code_tag", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_vault_join_{name}"))
            for name, rule in _CHECKS.items()
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                ["unefois.person.id"],
                name=op.f(f"fk_vault_join_{column}_person"),
                ondelete="CASCADE",
            )
            for column in ("person_id", "stays_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_join")),
        schema="unefois",
    )
    _add_indexes()
    op.execute("REVOKE ALL ON unefois.vault_join FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.vault_join TO unefois_service")
    op.execute(f"GRANT UPDATE ({', '.join(_CHANGED)}) ON unefois.vault_join TO unefois_service")
    # A paper that changed vaults is looked for under the key of its new person.
    op.execute("GRANT UPDATE (content_tag) ON unefois.document_version TO unefois_service")


def _add_indexes() -> None:
    table = {"table_name": "vault_join", "schema": "unefois"}
    op.create_index("uq_vault_join_code_tag", columns=["code_tag"], unique=True, **table)
    for column in ("person_id", "stays_id"):
        op.create_index(f"ix_vault_join_{column}", columns=[column], **table)
    op.create_index(
        "ix_vault_join_created_at",
        columns=["created_at"],
        postgresql_where=sa.text("joined_at IS NULL"),
        **table,
    )
    op.create_index(
        "uq_vault_join_ended",
        columns=["person_id"],
        unique=True,
        postgresql_where=sa.text("joined_at IS NOT NULL"),
        **table,
    )
