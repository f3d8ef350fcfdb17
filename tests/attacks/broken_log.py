"""The log's table, broken as a full disk or a trigger breaks it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import psycopg
import pytest

from base.embedded.server import Addresses

WAYS = {
    "fails": "RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'",
    "drops it without a word": "RETURN NULL",
}


@dataclass(frozen=True)
class Breakable:
    """The log's table, as the owner of the tables can break it by a trigger."""

    owner: psycopg.Connection[tuple[object, ...]]
    way: str

    def break_(self) -> None:
        """Each later insertion into the log fails, or writes nothing."""
        self.owner.execute(
            "CREATE OR REPLACE FUNCTION pg_temp.broken() RETURNS trigger LANGUAGE plpgsql"
            f" AS $$BEGIN {WAYS[self.way]}; END$$".encode()
        )
        self.owner.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON unefois.access_event"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.broken()"
        )

    def mend(self) -> None:
        """Undo it."""
        self.owner.execute("DROP TRIGGER IF EXISTS broken ON unefois.access_event")


@pytest.fixture(params=WAYS)
async def log(request: pytest.FixtureRequest, postgres: Addresses) -> AsyncIterator[Breakable]:
    """A log that can be broken, in each way; mended at the end of the test."""
    address = postgres.owner_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as owner:
        breakable = Breakable(owner, request.param)
        yield breakable
        breakable.mend()
