"""Sign-ins under way: who began them, the codes that finish them, each try, and counts of a day.

Sign-ins, codes and tries are inserted, never changed; deleting a code deletes its sign-ins and
their tries. Each row that decides has a MAC.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat


class SignInCode(Base):
    """A code that was sent or only seems so. `lane`: see `auth/code_limits.py`."""

    __tablename__ = "sign_in_code"
    __table_args__ = (
        CheckConstraint("lane IN ('known', 'new', 'shared', 'spare')", name="lane"),
        Index("ix_sign_in_code_address_tag_lane_created_at", "address_tag", "lane", "created_at"),
        Index("ix_sign_in_code_created_at", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    address_tag: Mapped[bytes]
    lane: Mapped[str]
    digits: Mapped[int]
    code_tag: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    mac: Mapped[bytes]


class SignIn(Base):
    """A sign-in that someone began: the row is the same whether or not an account exists.

    Sealed under the service's key: the address. `secret_hash` is of the secret that whoever began
    it holds; `network_tag` is keyed, and differs for each address.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'worker')", name="kind"),
        Index("ix_sign_in_network_tag_created_at", "network_tag", "created_at"),
        Index("ix_sign_in_code_id", "code_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    address_tag: Mapped[bytes]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    network_tag: Mapped[bytes]
    secret_hash: Mapped[bytes]
    code_id: Mapped[UUID] = mapped_column(ForeignKey(SignInCode.id, ondelete="CASCADE"))
    tries: Mapped[int]
    mac: Mapped[bytes]


class SignInTry(Base):
    """A code that was typed while it could have been right; `succeeded`: it was, and is used up."""

    __tablename__ = "sign_in_try"
    __table_args__ = (Index("ix_sign_in_try_code_id", "code_id"),)
    sign_in_id: Mapped[UUID] = mapped_column(
        ForeignKey(SignIn.id, ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code_id: Mapped[UUID]
    succeeded: Mapped[bool]


class WrongCodes(Base):
    """How many wrong codes of a length were typed for an address, by hour."""

    __tablename__ = "wrong_codes"
    __table_args__ = (Index("ix_wrong_codes_hour", "hour"),)
    address_tag: Mapped[bytes] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    digits: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    mac: Mapped[bytes]


SIGN_IN_CODE_ROW = RowFormat(
    "sign_in_code",
    ("id", "address_tag", "lane", "digits", "code_tag", "created_at", "expires_at"),
)
SIGN_IN_ROW = RowFormat(
    "sign_in",
    ("id", "kind", "address_tag", "sealed", "created_at", "expires_at", "network_tag",
     "secret_hash", "code_id", "tries"),
)  # fmt: skip
WRONG_CODES_ROW = RowFormat("wrong_codes", ("address_tag", "hour", "lane", "digits", "count"))


async def asked(
    connection: AsyncConnection, address_tag: bytes, network_tag: bytes, since: datetime
) -> Row[int, int, int]:
    """What was asked since then: codes of the lanes `known` and `new` for the address, and
    sign-ins `from_network`."""

    def codes(lane: str) -> Any:
        return (
            select(func.count())
            .select_from(SignInCode)
            .where(
                SignInCode.address_tag == address_tag,
                SignInCode.lane == lane,
                SignInCode.created_at > since,
            )
            .scalar_subquery()
        )

    began = (
        select(func.count())
        .select_from(SignIn)
        .where(SignIn.network_tag == network_tag, SignIn.created_at > since)
        .scalar_subquery()
    )
    counted = await connection.execute(
        select(
            codes("known").label("known"), codes("new").label("new"), began.label("from_network")
        )
    )
    return counted.one()


async def add_code(connection: AsyncConnection, **values: Any) -> None:
    """Insert a code."""
    await connection.execute(insert(SignInCode).values(**values))


async def add_sign_in(connection: AsyncConnection, **values: Any) -> None:
    """Insert a sign-in."""
    await connection.execute(insert(SignIn).values(**values))


async def add_try(connection: AsyncConnection, **values: Any) -> None:
    """Insert a try."""
    await connection.execute(insert(SignInTry).values(**values))


async def sign_in(connection: AsyncConnection, sign_in_id: UUID) -> Row[Any] | None:
    """One sign-in, whatever its state."""
    found = await connection.execute(select(SignIn.__table__).where(SignIn.id == sign_in_id))
    return found.one_or_none()


async def code(connection: AsyncConnection, code_id: UUID) -> Row[Any] | None:
    """One code, and whether it is `used`."""
    found = await connection.execute(_CODE.where(SignInCode.id == code_id))
    return found.one_or_none()


async def shared_code(
    connection: AsyncConnection, address_tag: bytes, since: datetime
) -> Row[Any] | None:
    """The last shared code of an address that was made since then, and whether it is `used`."""
    found = await connection.execute(
        _CODE.where(
            SignInCode.address_tag == address_tag,
            SignInCode.lane == "shared",
            SignInCode.created_at > since,
        )
        .order_by(SignInCode.created_at.desc(), SignInCode.id.desc())
        .limit(1)
    )
    return found.one_or_none()


async def tries_of(connection: AsyncConnection, sign_in_id: UUID) -> int:
    """How often a sign-in was tried."""
    counted = await connection.execute(
        select(func.count()).select_from(SignInTry).where(SignInTry.sign_in_id == sign_in_id)
    )
    return int(counted.scalar_one())


async def wrong_codes(
    connection: AsyncConnection, address_tag: bytes, since: datetime
) -> Sequence[Row[Any]]:
    """The counts of the hours from `since` on."""
    found = await connection.execute(
        select(WrongCodes.__table__).where(
            WrongCodes.address_tag == address_tag, WrongCodes.hour >= since
        )
    )
    return found.all()


async def put_wrong_codes(connection: AsyncConnection, **values: Any) -> None:
    """Insert or replace the count of an hour."""
    row = upsert(WrongCodes).values(**values)
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["address_tag", "hour", "lane", "digits"],
            set_={"count": row.excluded.count, "mac": row.excluded.mac},
        )
    )


async def delete_old_codes(connection: AsyncConnection, age: timedelta) -> int:
    """Delete the codes that nothing reads any more, with their sign-ins."""
    deleted = await connection.execute(
        delete(SignInCode).where(SignInCode.created_at < now() - age)
    )
    return deleted.rowcount


async def delete_old_wrong_codes(connection: AsyncConnection, age: timedelta) -> int:
    """Delete the counts of hours that began so long ago."""
    deleted = await connection.execute(delete(WrongCodes).where(WrongCodes.hour < now() - age))
    return deleted.rowcount


_CODE = select(
    SignInCode.__table__,
    select(SignInTry.number)
    .where(SignInTry.code_id == SignInCode.id, SignInTry.succeeded)
    .exists()
    .label("used"),
)
