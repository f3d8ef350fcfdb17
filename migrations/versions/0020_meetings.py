"""A person and a worker who stand face to face meet by a code of six digits."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_BOTH = "person_id IS NOT NULL AND worker_id IS NOT NULL"
_AGREED = "person_agreed_at IS NOT NULL AND worker_agreed_at IS NOT NULL"
_CHECKS = {
    "opened_by": "opened_by IN ('person', 'worker')",
    "opener": "CASE opened_by WHEN 'person' THEN person_id ELSE worker_id END IS NOT NULL",
    "answered": f"answered_at IS NULL OR (code_tag IS NULL AND {_BOTH})",
    "used": f"used_at IS NULL OR ({_AGREED})",
}
_MOMENTS = ("answered_at", "person_agreed_at", "worker_agreed_at", "ended_at", "used_at")
_CHANGED = ("person_id", "worker_id", "code_tag", "sealed", *_MOMENTS, "mac")


def upgrade() -> None:
    """Nobody is meeting yet."""
    op.create_table(
        "meeting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("code_tag", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _MOMENTS),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_meeting_{name}"))
            for name, rule in _CHECKS.items()
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_id"],
                [f"unefois.{side}.id"],
                name=op.f(f"fk_meeting_{side}_id_{side}"),
                ondelete="CASCADE",
            )
            for side in ("person", "worker")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        schema="unefois",
    )
    op.create_index("uq_meeting_code_tag", "meeting", ["code_tag"], unique=True, schema="unefois")
    for column in ("person_id", "worker_id", "created_at"):
        op.create_index(f"ix_meeting_{column}", "meeting", [column], schema="unefois")
    op.execute("REVOKE ALL ON unefois.meeting FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.meeting TO unefois_service")
    op.execute(f"GRANT UPDATE ({', '.join(_CHANGED)}) ON unefois.meeting TO unefois_service")
