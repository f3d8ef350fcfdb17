"""How tests sign in: a new phone or worker, and the message that was really queued for it."""

import re
import secrets
from uuid import UUID

from sqlalchemy import select

from audit.records import events_of
from auth import administration, one_time_codes
from auth.one_time_codes import PendingSignIn
from auth.records.messages import Message
from auth.services import CoreServices
from auth.session_start import NewSession
from auth.visitor import UNKNOWN, Visitor
from tests.fixtures import MoveClock, code_in, new_phone
from tests.rows import last_events

__all__ = ["MoveClock", "new_phone"]


def new_email() -> str:
    """A work e-mail that no other test has."""
    return f"w{secrets.token_hex(6)}@structure.example"


async def new_worker(services: CoreServices, email: str, *, name: str = "Nadia Benali") -> UUID:
    """A worker of a new organisation."""
    organisation = await administration.add_organisation(
        services, name="CCAS de Lys", contact="accueil"
    )
    return await administration.add_worker(
        services,
        organisation_id=organisation,
        name=name,
        job="assistante sociale",
        email=email,
        phone="01 23 45 67 89",
        hours="lundi au jeudi",
    )


async def queued_messages(services: CoreServices, to: str) -> list[dict[str, str]]:
    """The messages queued for an address, oldest first; decoys, never sent, have `send` 0."""
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        rows = (await tx.execute(select(Message.__table__).order_by(Message.id))).all()
    opened = [reader.open("message", row.id, row.sealed) for row in rows]
    return [values for values in opened if values["to"] == to]


async def code_for(services: CoreServices, to: str) -> str:
    """The last code queued for an address."""
    return code_in((await queued_messages(services, to))[-1]["text"])


async def sent_codes(services: CoreServices, to: str) -> list[str]:
    """The codes that an address was really sent, oldest first."""
    texts = [one["text"] for one in await queued_messages(services, to) if one["send"]]
    return [code_in(text) for text in texts if re.search(r"\d{4}", text)]


async def begin(
    services: CoreServices, address: str, visitor: Visitor = UNKNOWN
) -> tuple[PendingSignIn, str]:
    """Start a sign-in; returns it with its code."""
    started = await ask(services, address, visitor)
    return started, await code_for(services, address)


async def ask(services: CoreServices, address: str, visitor: Visitor = UNKNOWN) -> PendingSignIn:
    """Start a sign-in, without reading the address's messages."""
    way = {"email": address} if "@" in address else {"phone": address}
    return await one_time_codes.send_code(services, **way, visitor=visitor)


async def redeem(
    services: CoreServices, started: PendingSignIn, code: str, visitor: Visitor = UNKNOWN
) -> NewSession:
    """Complete a sign-in, as who began it."""
    return await one_time_codes.redeem_code(
        services, started.id, secret=started.secret, code=code, visitor=visitor
    )


async def sign_in(services: CoreServices, address: str, visitor: Visitor = UNKNOWN) -> NewSession:
    """Start and complete a sign-in."""
    started, code = await begin(services, address, visitor)
    return await redeem(services, started, code, visitor)


def wrong(code: str) -> str:
    """A code that differs from this one."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


async def log_of(services: CoreServices, person_id: UUID) -> list[tuple[str, str, str]]:
    """A person's log, oldest first: action, outcome, reason."""
    async with services.database.transaction() as tx:
        rows = await events_of(
            tx, person_tag=await services.audit_log.person_tag(person_id), limit=100
        )
        entries = await services.audit_log.open_entries(tx, rows)
    values = [entry.values or {} for entry in reversed(entries)]
    return [(v["action"], v["outcome"], v.get("reason", "")) for v in values]


async def service_log(services: CoreServices) -> list[dict[str, object]]:
    """The last entries that belong to no vault, oldest first."""
    async with services.database.transaction() as tx:
        rows = await last_events(tx, 100)
        entries = await services.audit_log.open_entries(
            tx, [row for row in rows if row.person_tag is None]
        )
    return [entry.values or {} for entry in reversed(entries)]
