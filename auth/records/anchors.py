"""Anchors: one a person at most, a keyed tag of who they are on a paper, and nothing of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from base.database import Base
from storage.row_macs import RowFormat, RowMacs


class AnchorRow(Base):
    """A person's anchor. `id`: of this enrolment, as the log names it. `edition`: under which key,
    and by which rules of writing, the tag was made."""

    __tablename__ = "anchor"
    __table_args__ = (Index("ix_anchor_tag", "tag"),)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey(PersonRow.id, ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID]
    edition: Mapped[int]
    tag: Mapped[bytes]
    enrolled_at: Mapped[datetime]
    mac: Mapped[bytes]


ANCHOR_ROW = RowFormat("anchor", ("person_id", "id", "edition", "tag", "enrolled_at"))


async def anchor(connection: AsyncConnection, macs: RowMacs, person_id: UUID) -> Row[Any] | None:
    """The anchor of a vault. Raises `RowAltered`."""
    found = await connection.execute(
        select(AnchorRow.__table__).where(AnchorRow.person_id == person_id)
    )
    row = found.one_or_none()
    if row is not None:
        macs.check(ANCHOR_ROW, row)
    return row


async def anchors_of_tag(
    connection: AsyncConnection, macs: RowMacs, tag: bytes, limit: int
) -> Sequence[Row[Any]]:
    """The anchors that are of one paper: of several, nobody knows whose vault is meant. Raises
    `RowAltered`."""
    query = select(AnchorRow.__table__).where(AnchorRow.tag == tag).limit(limit)
    rows = (await connection.execute(query)).all()
    for row in rows:
        macs.check(ANCHOR_ROW, row)
    return rows


async def put_anchor(connection: AsyncConnection, macs: RowMacs, **values: Any) -> None:
    """Insert an anchor, or replace the one of the same vault."""
    row = insert(AnchorRow).values(macs.add(ANCHOR_ROW, values))
    changed = {name: getattr(row.excluded, name) for name in (*ANCHOR_ROW.columns[1:], "mac")}
    await connection.execute(row.on_conflict_do_update(index_elements=["person_id"], set_=changed))


async def delete_anchor(connection: AsyncConnection, person_id: UUID) -> None:
    """Delete the anchor of a vault."""
    await connection.execute(delete(AnchorRow).where(AnchorRow.person_id == person_id))
