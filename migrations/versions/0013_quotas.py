"""How much each version weighs, and what each grant's recipient has added: quotas count them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"

_INDEX = "ix_document_version_person_id_content_tag"


def upgrade() -> None:
    """What is held from before weighs nothing until the next sweep, which reads its size; grants
    begin at zero."""
    op.add_column("document_version", sa.Column("size_kib", sa.Integer()), schema="unefois")
    op.create_index(
        "ix_document_version_unmeasured",
        "document_version",
        ["id"],
        schema="unefois",
        postgresql_where=sa.text("size_kib IS NULL"),
    )
    op.drop_index(_INDEX, "document_version", schema="unefois")
    op.create_index(
        _INDEX,
        "document_version",
        ["person_id", "content_tag"],
        schema="unefois",
        postgresql_include=["size_kib"],
    )
    op.execute("GRANT UPDATE (size_kib) ON unefois.document_version TO unefois_service")
    op.create_table(
        "deposit_total",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("size_kib", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["unefois.grant.id"],
            name=op.f("fk_deposit_total_grant_id_grant"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["unefois.person.id"],
            name=op.f("fk_deposit_total_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_deposit_total")),
        schema="unefois",
    )
    op.create_index("ix_deposit_total_person_id", "deposit_total", ["person_id"], schema="unefois")
    op.execute("REVOKE ALL ON unefois.deposit_total FROM unefois_service")
    op.execute("GRANT SELECT, INSERT ON unefois.deposit_total TO unefois_service")
    op.execute("GRANT UPDATE (documents, size_kib) ON unefois.deposit_total TO unefois_service")
