"""A version has a thumbnail, for its owner's lists."""

from alembic import op

revision = "0018"
down_revision = "0017"

_ROLES = "role IN ('original', 'rendition', 'preview', 'thumbnail')"


def upgrade() -> None:
    """Those of papers held from before are drawn when a list first shows them."""
    name = op.f("ck_sealed_file_role")
    op.drop_constraint(name, "sealed_file", schema="unefois", type_="check")
    op.create_check_constraint(name, "sealed_file", _ROLES, schema="unefois")
