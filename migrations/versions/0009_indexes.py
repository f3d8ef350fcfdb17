"""Indexes for the statements that read a whole table; the log is read in the order of its times."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_NEW = (
    ("access_event", ("person_tag", "at", "id"), None),
    ("access_event", ("actor_tag", "at", "id"), None),
    ("sealed_file", ("person_id",), None),
    ("grant", ("catalogue_edition", "ends_at"), None),
    ("consent_request", ("lapses_at",), "answer IS NULL OR answer <> 'approved'"),
    ("session", ("revoked_at",), "revoked_at IS NOT NULL"),
    ("worker", ("organisation_id",), None),
    ("erasure_code", ("created_at",), None),
)
_REPLACED = (
    ("access_event", ("person_tag", "id")),
    ("access_event", ("actor_tag", "id")),
    ("grant", ("ends_at",)),
)


def upgrade() -> None:
    """Not CONCURRENTLY, which no transaction can hold: a migration is whole or not at all. Each
    table takes no writes from its first index until the end (docs/runbooks/upgrade.md)."""
    for table, columns, where in _NEW:
        op.create_index(
            _name(table, columns),
            table,
            list(columns),
            schema="unefois",
            postgresql_where=None if where is None else sa.text(where),
        )
    for table, columns in _REPLACED:
        op.drop_index(_name(table, columns), table, schema="unefois")


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
