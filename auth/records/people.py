"""People: a phone's keyed tag and sealed fields; nothing in clear to join on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, bindparam, delete, exists, insert, select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.joins import VaultJoin
from base.database import Base
from base.db_time import now
from base.statements import Bound, Statement
from storage.row_macs import RowFormat, RowMacs


class PersonRow(Base):
    """The owner of a vault. Sealed under their own key: phone, e-mail, name."""

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_phone_tag", "phone_tag"),
        Index("uq_person_email_tag", "email_tag", unique=True),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_tag: Mapped[bytes | None]
    email_tag: Mapped[bytes | None]
    language: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    used_at: Mapped[datetime] = mapped_column(server_default=now())
    mac: Mapped[bytes | None]


PERSON_ROW = RowFormat(
    "person",
    ("id", "phone_tag", "email_tag", "language", "sealed", "created_at", "used_at"),
)


ASLEEP = (PersonRow.used_at < now() - text("interval '6 months'")).label("asleep")
"""Whether a vault was unused for so long that its number may be another's."""
_ENDED = exists().where(VaultJoin.person_id == PersonRow.id, VaultJoin.joined_at.is_not(None))
_BY_ID = select(PersonRow.__table__, _ENDED.label("ended"))
"""`ended`: its papers and means are those of another vault; nobody enters it."""


async def person_by_phone(
    connection: AsyncConnection, macs: RowMacs, phone_tags: Sequence[bytes]
) -> Row[Any] | None:
    """The person of a phone, and `asleep`: unused for so long that the number may be another's.

    `phone_tags`: of each form of the same number; the first under which someone is found. One
    query in every case. Raises `RowAltered`.
    """
    found = await connection.execute(
        select(PersonRow.__table__, ASLEEP).where(PersonRow.phone_tag.in_(phone_tags))
    )
    rows = sorted(found, key=lambda row: phone_tags.index(row.phone_tag))
    return _checked(macs, rows[0] if rows else None)


async def person(connection: AsyncConnection, macs: RowMacs, person_id: UUID) -> Row[Any] | None:
    """One person's row, and whether their vault `ended`. Raises `RowAltered`."""
    found = await connection.execute(_BY_ID.where(PersonRow.id == person_id))
    return _checked(macs, found.one_or_none())


async def sleeping_person(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID
) -> Row[Any] | None:
    """One person's row, and `asleep`: their vault was not used for six months. Raises
    `RowAltered`."""
    found = await connection.execute(
        select(PersonRow.__table__, ASLEEP).where(PersonRow.id == person_id)
    )
    return _checked(macs, found.one_or_none())


async def ids_after(connection: AsyncConnection, person_id: UUID, limit: int) -> Sequence[UUID]:
    """The ids of people, in their order, after one. Nothing of their rows is believed."""
    query = select(PersonRow.id).where(PersonRow.id > person_id).order_by(PersonRow.id)
    return (await connection.execute(query.limit(limit))).scalars().all()


async def is_living(connection: AsyncConnection, person_id: UUID) -> bool:
    """Whether somebody's vault is there, and did not end in another. Nothing of it is believed:
    the caller is refused, or goes on to rows that are checked."""
    found = await connection.execute(select(PersonRow.id).where(PersonRow.id == person_id, ~_ENDED))
    return found.one_or_none() is not None


async def has_ended(connection: AsyncConnection, person_id: UUID) -> bool:
    """Whether a vault ended in another."""
    found = await connection.execute(select(PersonRow.id).where(PersonRow.id == person_id, _ENDED))
    return found.one_or_none() is not None


_PERSON = Statement(_BY_ID.where(PersonRow.id == bindparam("person")))


def person_by_id(person_id: UUID) -> Bound:
    """One person's row, and whether their vault `ended`; or none. The caller checks its MAC."""
    return _PERSON(person=person_id)


async def person_to_change(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID
) -> Row[Any] | None:
    """One person's row, locked: of two changes at once, neither undoes the other. Raises
    `RowAltered`."""
    found = await connection.execute(
        select(PersonRow.__table__).where(PersonRow.id == person_id).with_for_update(key_share=True)
    )
    return _checked(macs, found.one_or_none())


async def add_person(
    connection: AsyncConnection, macs: RowMacs, at: datetime, **values: Any
) -> None:
    """Open an empty vault."""
    row = {"email_tag": None, "created_at": at, "used_at": at, **values}
    await connection.execute(insert(PersonRow).values(macs.add(PERSON_ROW, row)))


async def change_profile(
    connection: AsyncConnection,
    macs: RowMacs,
    row: Row[Any],
    *,
    phone_tag: bytes | None,
    sealed: bytes,
) -> None:
    """Change what is sealed of a person, and the form in which their phone is looked for. `row`
    is one of `person_to_change`."""
    changed = {name: getattr(row, name) for name in PERSON_ROW.columns}
    changed |= {"phone_tag": phone_tag, "sealed": sealed}
    await connection.execute(
        update(PersonRow)
        .where(PersonRow.id == row.id)
        .values(phone_tag=phone_tag, sealed=sealed, mac=macs.of(PERSON_ROW, changed))
    )


async def change_language(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], language: str
) -> None:
    """Change the language of a person's messages. `row` is one of `person_to_change`."""
    changed = {name: getattr(row, name) for name in PERSON_ROW.columns} | {"language": language}
    await connection.execute(
        update(PersonRow)
        .where(PersonRow.id == row.id)
        .values(language=language, mac=macs.of(PERSON_ROW, changed))
    )


async def touch_person(connection: AsyncConnection, macs: RowMacs, person_id: UUID) -> None:
    """Mark the vault as used: an unused one cannot be opened by a recycled number. Raises
    `RowAltered`."""
    found = await connection.execute(
        select(PersonRow.__table__, now().label("at"))
        .where(PersonRow.id == person_id)
        .with_for_update(key_share=True)
    )
    row = _checked(macs, found.one_or_none())
    if row is None:
        return
    used = {name: getattr(row, name) for name in PERSON_ROW.columns} | {"used_at": row.at}
    await connection.execute(
        update(PersonRow)
        .where(PersonRow.id == person_id)
        .values(used_at=row.at, mac=macs.of(PERSON_ROW, used))
    )


def _checked(macs: RowMacs, row: Row[Any] | None) -> Row[Any] | None:
    if row is not None:
        macs.check(PERSON_ROW, row)
    return row


async def delete_person(connection: AsyncConnection, person_id: UUID) -> None:
    """Delete the row, and with it the rows that refer to it."""
    await connection.execute(delete(PersonRow).where(PersonRow.id == person_id))
