"""Cards, PINs, and two vaults on one phone."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """The phone of a vault of before is a means as it is: its row has a MAC, which a migration,
    without the keys, could not make again (docs/adr/0051)."""
    op.drop_index("uq_person_phone_tag", "person", schema="unefois")
    op.create_index("ix_person_phone_tag", "person", ["phone_tag"], schema="unefois")
    _add_pin()
    _add_card()
    _add_pin_step()


def _person() -> sa.Column[UUID]:
    return sa.Column("person_id", sa.Uuid(), nullable=False)


def _foreign(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"],
        ["unefois.person.id"],
        name=op.f(f"fk_{table}_person_id_person"),
        ondelete="CASCADE",
    )


def _add_pin() -> None:
    op.create_table(
        "pin",
        _person(),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("digits IN (4, 6)", name=op.f("ck_pin_digits")),
        _foreign("pin"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_pin")),
        schema="unefois",
    )
    op.execute("REVOKE ALL ON unefois.pin FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.pin TO unefois_service")
    op.execute(
        "GRANT UPDATE (edition, digits, salt, sealed, set_at, mac) ON unefois.pin"
        " TO unefois_service"
    )


def _add_card() -> None:
    op.create_table(
        "card",
        sa.Column("id", sa.Uuid(), nullable=False),
        _person(),
        sa.Column("code_tag", sa.LargeBinary(), nullable=False),
        sa.Column("secret_tag", sa.LargeBinary(), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("pin_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        _foreign("card"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        schema="unefois",
    )
    for name, column, unique in (
        ("uq_card_code_tag", "code_tag", True),
        ("uq_card_secret_tag", "secret_tag", True),
        ("ix_card_person_id", "person_id", False),
    ):
        op.create_index(name, "card", [column], unique=unique, schema="unefois")
    op.execute("REVOKE ALL ON unefois.card FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.card TO unefois_service")
    op.execute(
        "GRANT UPDATE (pin_sealed, edition, wrong, used_at, mac) ON unefois.card TO unefois_service"
    )


def _add_pin_step() -> None:
    op.create_table(
        "pin_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('phone', 'card')", name=op.f("ck_pin_step_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin_step")),
        schema="unefois",
    )
    op.create_index("ix_pin_step_expires_at", "pin_step", ["expires_at"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.pin_step FROM unefois_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON unefois.pin_step TO unefois_service")
