"""A grant has the edition of the catalogue that it keeps to; the service may narrow one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_STEPS = "step IN ('given', 'approved', 'narrowed', 'revoked')"
_BY = "by_kind IN ('owner', 'worker', 'client', 'service')"


def upgrade() -> None:
    """Living grants are of the first edition, which they are narrowed from."""
    op.add_column(
        "grant",
        sa.Column("catalogue_edition", sa.Integer(), server_default="1", nullable=False),
        schema="unefois",
    )
    op.add_column(
        "grant_history", sa.Column("edition", sa.Integer(), nullable=True), schema="unefois"
    )
    for name, condition in (("step", _STEPS), ("by_kind", _BY)):
        op.drop_constraint(
            op.f(f"ck_grant_history_{name}"), "grant_history", schema="unefois", type_="check"
        )
        op.create_check_constraint(
            op.f(f"ck_grant_history_{name}"), "grant_history", condition, schema="unefois"
        )
    # Beside the columns that it may change already.
    op.execute(
        'GRANT UPDATE (may_deposit, covers_future, catalogue_edition) ON unefois."grant"'
        " TO unefois_service"
    )
