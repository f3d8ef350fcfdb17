"""Table and SQL of evidence of consent: by what act a person gave, or ended, a grant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, insert, select, text
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from base.database import Base
from storage.row_macs import RowFormat
from vault.consent.records.mandates import Mandate
from vault.tables import Grant


class ConsentEvidence(Base):
    """One act. Append-only, by role privileges. Sealed: the exact wording, the languages, the name
    of who heard it. `worker_id`: who was beside the person; the two tags say that whoever heard it
    has another name than theirs. Which columns each kind has: `migrations/versions/0027…`."""

    __tablename__ = "consent_evidence"
    __table_args__ = (
        CheckConstraint("change IN ('given', 'approved', 'went_on', 'revoked')", name="change"),
        CheckConstraint(
            "level IN ('phone_code', 'card_pin', 'phone_confirmed')"
            " AND (level <> 'phone_confirmed' OR kind <> 'app')",
            name="level",
        ),
        Index(
            "uq_consent_evidence_grant_id_change",
            "grant_id",
            text("(change = 'revoked')"),
            unique=True,
            postgresql_where=text("change <> 'went_on'"),
        ),
        Index("ix_consent_evidence_grant_id", "grant_id"),
        Index("ix_consent_evidence_person_id", "person_id"),
        Index("ix_consent_evidence_mandate_id", "mandate_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey(Grant.id, ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    change: Mapped[str]
    kind: Mapped[str]
    level: Mapped[str | None]
    channel: Mapped[str]
    language: Mapped[str]
    template: Mapped[str]
    template_hash: Mapped[bytes]
    wording_hash: Mapped[bytes]
    worker_id: Mapped[UUID | None]
    worker_tag: Mapped[bytes | None]
    heard_by: Mapped[str | None]
    heard_by_tag: Mapped[bytes | None]
    mandate_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(Mandate.id, ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    at: Mapped[datetime]
    sealed: Mapped[bytes]
    mac: Mapped[bytes]


CONSENT_EVIDENCE_ROW = RowFormat(
    "consent_evidence",
    tuple(column.name for column in ConsentEvidence.__table__.c if column.name != "mac"),
)


async def evidence_of(connection: AsyncConnection, grant_id: UUID) -> Sequence[Row[Any]]:
    """The acts of a grant, in order: one that gave it, one that ended it at most, and between them
    those by which a mandate's went on, one a day at most."""
    result = await connection.execute(
        select(ConsentEvidence.__table__)
        .where(ConsentEvidence.grant_id == grant_id)
        .order_by(ConsentEvidence.id)
    )
    return result.all()


async def add_evidence(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert an act, with its MAC."""
    await connection.execute(insert(ConsentEvidence).values(**values))
