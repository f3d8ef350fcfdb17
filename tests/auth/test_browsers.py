"""A browser that signed in before is known again: to that account, and to no other."""

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from auth import browsers, cleanup
from auth.records.browsers import Browser
from auth.services import CoreServices
from auth.visitor import Visitor
from base.embedded.server import Addresses
from base.ids import new_id
from tests.auth.steps import MoveClock


async def remember(
    services: CoreServices, subject: UUID, kind: str = "person", secret: str | None = None
) -> str:
    async with services.database.transaction() as tx:
        return await browsers.remember(services, tx, kind, subject, Visitor(browser=secret))


async def known(
    services: CoreServices, subject: UUID, secret: str | None, kind: str = "person"
) -> bool:
    async with services.database.transaction() as tx:
        return await browsers.is_known(services, tx, kind, subject, Visitor(browser=secret))


async def test_a_browser_is_known_to_the_account_that_it_signed_in_to(
    services: CoreServices,
) -> None:
    mine, other = new_id(), new_id()
    secret = await remember(services, mine)
    assert await known(services, mine, secret)
    assert not await known(services, other, secret)
    assert not await known(services, mine, secret, "worker")
    assert not await known(services, mine, secret[:-1] + ("A" if secret[-1] != "A" else "B"))
    assert not await known(services, mine, None)


async def test_one_secret_serves_a_household_and_the_table_does_not_show_it(
    services: CoreServices,
) -> None:
    mine, theirs = new_id(), new_id()
    secret = await remember(services, mine)
    assert await remember(services, theirs, secret=secret) == secret
    assert await remember(services, mine, secret=secret) == secret
    assert await known(services, mine, secret)
    assert await known(services, theirs, secret)
    async with services.database.transaction() as tx:
        rows = (
            await tx.execute(
                select(Browser.secret_hash).where(Browser.subject_id.in_([mine, theirs]))
            )
        ).scalars()
        hashes = list(rows)
    assert len(hashes) == len(set(hashes)) == 2


@pytest.mark.parametrize("given", ["", "short", "A" * 44, "é" * 43, "\x00" * 43])
async def test_what_is_no_secret_of_ours_is_replaced(services: CoreServices, given: str) -> None:
    person = new_id()
    secret = await remember(services, person, secret=given)
    assert secret != given
    assert len(secret) == 43


async def test_a_row_made_or_moved_without_the_key_counts_for_nothing(
    services: CoreServices, postgres: Addresses
) -> None:
    mine, other = new_id(), new_id()
    secret = await remember(services, mine)
    moved = "SET subject_id = %s, secret_hash = %s WHERE subject_id = %s"
    _change(postgres, moved, other, browsers._hash("person", other, secret), mine)
    assert not await known(services, other, secret)
    _change(postgres, moved, mine, browsers._hash("person", mine, secret), other)
    assert await known(services, mine, secret)
    _change(postgres, "SET used_at = used_at + interval '1 s' WHERE subject_id = %s", mine)
    assert not await known(services, mine, secret)


async def test_an_account_keeps_its_last_twenty_browsers(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person = new_id()
    secrets = []
    for at in range(browsers.MAX_BROWSERS + 1):
        moved_clock(timedelta(seconds=at))
        secrets.append(await remember(services, person))
    assert not await known(services, person, secrets[0])
    assert all([await known(services, person, one) for one in secrets[1:]])


async def test_a_browser_is_forgotten_after_400_days_or_on_demand(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    person, other = new_id(), new_id()
    secret, kept = await remember(services, person), await remember(services, other)
    async with services.database.transaction() as tx:
        await browsers.forget_all(tx, person)
    assert not await known(services, person, secret)
    assert await known(services, other, kept)
    moved_clock(timedelta(days=401))
    assert not await known(services, other, kept)
    assert (await cleanup.delete_expired(services))["browsers"] >= 1


def _change(postgres: Addresses, what: str, *values: object) -> None:
    """As who owns the tables and has no key."""
    address = postgres.owner_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute(f"UPDATE unefois.browser {what}", values)  # type: ignore[arg-type]  # ours
