"""A meeting whose person erased their vault stays, over and without them, for its hour: its worker
sees what they see of one that was ended."""

from alembic import op

revision = "0025"
down_revision = "0024"

_BOTH = "person_id IS NOT NULL AND worker_id IS NOT NULL"
_CHECKS = {
    "opener": "CASE opened_by WHEN 'person' THEN person_id ELSE worker_id END IS NOT NULL"
    " OR ended_at IS NOT NULL",
    "answered": "answered_at IS NULL OR (code_tag IS NULL AND"
    f" (({_BOTH}) OR ended_at IS NOT NULL))",
}


def upgrade() -> None:
    """Rows of before keep both rules."""
    for name, rule in _CHECKS.items():
        constraint = op.f(f"ck_meeting_{name}")
        op.drop_constraint(constraint, "meeting", schema="unefois", type_="check")
        op.create_check_constraint(constraint, "meeting", rule, schema="unefois")
