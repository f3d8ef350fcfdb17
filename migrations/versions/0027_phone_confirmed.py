"""A person enters on a worker's device by a yes on their own phone: consent given there has its own
kind, and its own level."""

from alembic import op

revision = "0027"
down_revision = "0026"

# As in 0024, with one kind more.
_COMPLETE = """(CASE kind
    WHEN 'app' THEN
        level IS NOT NULL AND channel IN ('api', 'pages')
        AND worker_id IS NULL AND heard_by IS NULL AND mandate_id IS NULL
    WHEN 'code_read_out' THEN
        level = 'phone_code' AND channel IN ('api', 'pages')
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NULL
    WHEN 'card_pin_on_workers_screen' THEN
        level = 'card_pin' AND channel IN ('api', 'pages')
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NULL
    WHEN 'phone_confirmed_on_workers_screen' THEN
        level = 'phone_confirmed' AND channel IN ('api', 'pages')
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NULL
    WHEN 'signed_mandate' THEN
        level IS NOT NULL AND channel = 'paper'
        AND worker_id IS NOT NULL AND heard_by IS NULL AND mandate_id IS NOT NULL
    WHEN 'spoken' THEN
        level IS NOT NULL AND channel IN ('api', 'pages')
        AND worker_id IS NOT NULL AND mandate_id IS NULL
        AND heard_by IN ('witness', 'interpreter') AND worker_tag <> heard_by_tag
END) IS TRUE"""
# Such a session has a worker beside it in every case.
_LEVEL = (
    "level IN ('phone_code', 'card_pin', 'phone_confirmed')"
    " AND (level <> 'phone_confirmed' OR kind <> 'app')"
)


def upgrade() -> None:
    """Rows of before keep both rules."""
    for name, rule in (("complete", _COMPLETE), ("level", _LEVEL)):
        constraint = op.f(f"ck_consent_evidence_{name}")
        op.drop_constraint(constraint, "consent_evidence", schema="unefois", type_="check")
        op.create_check_constraint(constraint, "consent_evidence", rule, schema="unefois")
