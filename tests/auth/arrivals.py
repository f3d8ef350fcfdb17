"""How tests arrive: a new phone or worker, and the message that was really queued for it."""

import re
import secrets
from uuid import UUID

from sqlalchemy import select

from audit.records import events_of
from auth import administration, sign_ins
from auth.desk import Desk
from auth.records.messages import Message
from auth.sign_ins import SignedIn, Started
from tests.rooms import MoveClock, new_phone

__all__ = ["MoveClock", "new_phone"]


def new_email() -> str:
    """A work e-mail that no other test has."""
    return f"w{secrets.token_hex(6)}@structure.example"


async def new_worker(desk: Desk, email: str, *, name: str = "Nadia Benali") -> UUID:
    """A worker of a new organisation."""
    organisation = await administration.add_organisation(
        desk, name="CCAS de Lys", contact="accueil"
    )
    return await administration.add_worker(
        desk,
        organisation_id=organisation,
        name=name,
        job="assistante sociale",
        email=email,
        phone="01 23 45 67 89",
        hours="lundi au jeudi",
    )


async def letters(desk: Desk, to: str) -> list[dict[str, str]]:
    """What was queued for an address, oldest first; unsent decoys have `send` 0."""
    sealer = await desk.fields.of_service()
    async with desk.database.transaction() as tx:
        rows = (await tx.execute(select(Message.__table__).order_by(Message.id))).all()
    opened = [sealer.open("message", row.id, row.sealed) for row in rows]
    return [values for values in opened if values["to"] == to]


async def code_for(desk: Desk, to: str) -> str:
    """The last code queued for an address."""
    found = re.search(r"\d{6}", (await letters(desk, to))[-1]["text"])
    assert found
    return found[0]


async def begin(desk: Desk, address: str) -> tuple[Started, str]:
    """Start a sign-in; with its code."""
    way = {"email": address} if "@" in address else {"phone": address}
    started = await sign_ins.start(desk, **way)
    return started, await code_for(desk, address)


async def sign_in(desk: Desk, address: str) -> SignedIn:
    """Start and finish."""
    started, code = await begin(desk, address)
    return await sign_ins.finish(desk, started.id, code=code)


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**6:06}"


async def log_of(desk: Desk, person_id: UUID) -> list[tuple[str, str, str]]:
    """A person's log, oldest first: action, outcome, reason."""
    async with desk.database.transaction() as tx:
        rows = await events_of(tx, person_tag=await desk.ledger.person_tag(person_id), limit=100)
        lines = await desk.ledger.open_lines(tx, rows)
    values = [line.values or {} for line in reversed(lines)]
    return [(v["action"], v["outcome"], v.get("reason", "")) for v in values]


async def service_log(desk: Desk) -> list[dict[str, object]]:
    """The last lines that belong to nobody's vault, oldest first."""
    async with desk.database.transaction() as tx:
        rows = await events_of(tx, limit=100)
        lines = await desk.ledger.open_lines(tx, [row for row in rows if row.person_tag is None])
    return [line.values or {} for line in reversed(lines)]
