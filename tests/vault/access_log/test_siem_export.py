"""The export for monitoring, over real events in a real tree."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.records import events_of
from audit.tlog.records import leaf_of
from audit.tlog.sequencer_loop import SequencerLoop
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.rows import last_events
from tests.vault.consent.steps import asking
from vault.access_log.siem_export import ExportTally, export_ocsf
from vault.consent.requests import ask
from vault.maintenance.erasure import erase
from vault.services import Services
from web.cli import siem_export
from web.process.sequencer import run_sequencer


@pytest.fixture
async def sequencer(services: Services) -> AsyncIterator[SequencerLoop]:
    async with run_sequencer(services) as at_work:
        yield at_work


async def wait_for_leaves(services: Services, person: SomePerson) -> int:
    """Wait until every entry of a person has a leaf; return the greatest index."""
    tag = await services.audit_log.person_tag(person.id)
    for _ in range(400):
        async with services.database.transaction() as tx:
            rows = await events_of(tx, person_tag=tag, limit=100)
            leaves = [await leaf_of(tx, row.id) for row in rows]
        if rows and None not in leaves:
            return max(leaf[0] for leaf in leaves if leaf is not None)
        await asyncio.sleep(0.025)
    raise AssertionError("not integrated")


async def exported_events(
    services: Services, consumer: str = "soc", **bounds: Any
) -> list[dict[str, Any]]:
    events = export_ocsf(services, ExportTally(), consumer=consumer, release="0.1.0", **bounds)
    return [event async for event in events]


@pytest.fixture
async def story(
    services: Services, sequencer: SequencerLoop, make_person: MakePerson, make_worker: MakeWorker
) -> tuple[SomePerson, SomeWorker]:
    """A person whose documents a worker asked to see."""
    person, worker = await make_person(), await make_worker()
    await ask(services, worker.subject, person.phone, asking("rent_receipt"))
    await wait_for_leaves(services, person)
    return person, worker


def subject_of(event: dict[str, Any]) -> str:
    uid: str = event["resources"][0]["uid"]
    return uid


async def test_events_come_in_the_order_of_the_leaves_without_naming_anyone(
    services: Services, story: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = story
    events = await exported_events(services)

    order = [event["metadata"]["sequence"] for event in events]
    assert order == sorted(set(order))
    (request,) = [
        event
        for event in events
        if event["metadata"]["event_code"] == "consent.request"
        and event["actor"]["user"].get("uid") == str(worker.id)
    ]
    assert request["class_uid"] == 6003
    exported_text = json.dumps(events)
    assert str(person.id) not in exported_text
    assert person.phone not in exported_text


async def test_each_consumer_has_its_own_pseudonyms(
    services: Services, story: tuple[SomePerson, SomeWorker]
) -> None:
    _, worker = story

    async def subject(consumer: str) -> str:
        (request,) = [
            event
            for event in await exported_events(services, consumer)
            if event.get("actor", {}).get("user", {}).get("uid") == str(worker.id)
        ]
        return subject_of(request)

    assert await subject("soc") == await subject("soc")
    assert await subject("soc") != await subject("auditor")


async def test_an_export_goes_on_where_the_last_one_ended(
    services: Services, story: tuple[SomePerson, SomeWorker]
) -> None:
    events = await exported_events(services)
    middle = events[len(events) // 2]["metadata"]["sequence"]
    rest = await exported_events(services, after=middle)
    # The second export has the events of the first, then the newer ones (the first export's own).
    beyond = [
        event["metadata"]["sequence"] for event in events if event["metadata"]["sequence"] > middle
    ]
    assert [event["metadata"]["sequence"] for event in rest][: len(beyond)] == beyond
    # Other tests of this process move the clock by about a year.
    assert await exported_events(services, since=datetime.now(UTC) + timedelta(days=3650)) == []


async def test_the_export_is_itself_recorded_before_anything_leaves(
    services: Services, sequencer: SequencerLoop
) -> None:
    events = export_ocsf(services, ExportTally(), consumer="recorded", release="0.1.0")
    async with services.database.transaction() as tx:
        before = await last_events(tx, 1)
    await anext(events)
    async with services.database.transaction() as tx:
        rows = await last_events(tx, 1)
        (entry,) = await services.audit_log.open_entries(tx, rows)
    assert rows[0].id != before[0].id
    assert entry.values is not None
    assert entry.values["action"] == "log.read"
    assert entry.values["actor"]["kind"] == "operator"
    assert entry.values["details"]["consumer"] == "recorded"
    await events.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_what_was_erased_is_left_out_and_counted(
    services: Services, sequencer: SequencerLoop, make_person: MakePerson
) -> None:
    person = await make_person()
    last = await wait_for_leaves(services, person)
    await erase(services, person.subject)
    tally = ExportTally()
    events = export_ocsf(services, tally, consumer="soc", release="0.1.0", after=last - 1)
    shown = [event["metadata"]["sequence"] async for event in events]
    assert last not in shown
    assert tally.silent >= 1


async def test_the_command_writes_a_line_an_event(
    services: Services, story: tuple[SomePerson, SomeWorker], capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    siem_export.add_to(parser.add_subparsers())
    options = parser.parse_args(["export", "--ocsf", "--consumer", "soc", "--since", "2026-01-01"])
    assert options.since == datetime(2026, 1, 1, tzinfo=UTC)

    await siem_export.write(services, options)

    output = capsys.readouterr()
    lines = [json.loads(line) for line in output.out.splitlines()]
    assert len(lines) > 2
    assert all(line["metadata"]["version"] == "1.8.0" for line in lines)
    assert output.err.startswith(f"{len(lines)} events, ")
    assert {UUID(line["metadata"]["uid"]).version for line in lines} == {7}


@pytest.mark.parametrize("consumer", ["", "SOC", "a b", "../x", "é"])
def test_a_consumer_has_a_plain_name(consumer: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    siem_export.add_to(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["export", "--ocsf", "--consumer", consumer])
