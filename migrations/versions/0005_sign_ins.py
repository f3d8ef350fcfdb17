"""Browsers that signed in before; sign-ins that are bound to who began them.

Sign-ins under way are forgotten: they live ten minutes, and have no secret.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them."""
    _add_browsers()
    op.execute("DELETE FROM unefois.sign_in")
    _add_codes()
    _bind_sign_ins()
    _add_tries()
    _add_counts()


def _add_browsers() -> None:
    op.create_table(
        "browser",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "subject_kind IN ('person', 'worker')", name=op.f("ck_browser_subject_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser")),
        schema="unefois",
    )
    op.create_index(
        "uq_browser_secret_hash", "browser", ["secret_hash"], unique=True, schema="unefois"
    )
    op.create_index("ix_browser_subject_id", "browser", ["subject_id"], schema="unefois")
    op.create_index("ix_browser_used_at", "browser", ["used_at"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.browser FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.browser TO unefois_service")


def _add_codes() -> None:
    op.create_table(
        "sign_in_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address_tag", sa.LargeBinary(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("code_tag", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "lane IN ('known', 'new', 'shared', 'spare')", name=op.f("ck_sign_in_code_lane")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_code")),
        schema="unefois",
    )
    op.create_index(
        "ix_sign_in_code_address_tag_lane_created_at",
        "sign_in_code",
        ["address_tag", "lane", "created_at"],
        schema="unefois",
    )
    op.create_index("ix_sign_in_code_created_at", "sign_in_code", ["created_at"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.sign_in_code FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.sign_in_code TO unefois_service")


def _bind_sign_ins() -> None:
    """A sign-in is inserted, then only read; it is deleted with its code."""
    op.drop_index("ix_sign_in_address_tag_created_at", "sign_in", schema="unefois")
    op.drop_index("ix_sign_in_created_at", "sign_in", schema="unefois")
    for name in ("code_tag", "attempts", "used_at"):
        op.drop_column("sign_in", name, schema="unefois")
    op.alter_column("sign_in", "created_at", server_default=None, schema="unefois")
    for column in (
        sa.Column("network_tag", sa.LargeBinary(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
    ):
        op.add_column("sign_in", column, schema="unefois")
    op.create_foreign_key(
        op.f("fk_sign_in_code_id_sign_in_code"),
        "sign_in",
        "sign_in_code",
        ["code_id"],
        ["id"],
        source_schema="unefois",
        referent_schema="unefois",
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_sign_in_network_tag_created_at",
        "sign_in",
        ["network_tag", "created_at"],
        schema="unefois",
    )
    op.create_index("ix_sign_in_code_id", "sign_in", ["code_id"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.sign_in FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.sign_in TO unefois_service")


def _add_tries() -> None:
    op.create_table(
        "sign_in_try",
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sign_in_id"],
            ["unefois.sign_in.id"],
            name=op.f("fk_sign_in_try_sign_in_id_sign_in"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sign_in_id", "number", name=op.f("pk_sign_in_try")),
        schema="unefois",
    )
    op.create_index("ix_sign_in_try_code_id", "sign_in_try", ["code_id"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.sign_in_try FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.sign_in_try TO unefois_service")


def _add_counts() -> None:
    op.create_table(
        "wrong_codes",
        sa.Column("address_tag", sa.LargeBinary(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("digits", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "address_tag", "hour", "lane", "digits", name=op.f("pk_wrong_codes")
        ),
        schema="unefois",
    )
    op.create_index("ix_wrong_codes_hour", "wrong_codes", ["hour"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.wrong_codes FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.wrong_codes TO unefois_service")
    op.execute("GRANT UPDATE (count, mac) ON unefois.wrong_codes TO unefois_service")
