"""How somebody opens again, over HTTP, what they had lost, in steps of a story."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from base.database import Database
from tests.auth.means_steps import bearer, enter, usable_pins
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.recoveries import PIN, ReadPaper, agent, begun, second, some_paper, with_anchor
from tests.steps import is_problem, log_of
from vault.recovery.recovery_rules import WAIT
from vault.services import Services

Agents = tuple[SomeWorker, SomeWorker]
LATER = WAIT + timedelta(minutes=1)


@dataclass(frozen=True)
class Waiting:
    """Somebody in the vault that was opened for them at the desk: its card, and what stands on the
    paper that was read. `pin`: the one that they choose for the vault that they lost."""

    lost: SomePerson
    paper: ReadPaper
    card: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    pin: str = field(repr=False)

    def body(self, **changes: Any) -> dict[str, Any]:
        """What opens it."""
        proof = {"card": self.card, "pin": PIN}
        return {"pin": self.pin, "again": self.pin, "proof": proof, **changes}


async def waits(client: httpx.AsyncClient, agents: Agents, make_person: MakePerson) -> Waiting:
    """Two agents saw somebody who has an anchor, and lost everything else."""
    return await waits_for(client, agents, await make_person())


async def waits_for(
    client: httpx.AsyncClient,
    agents: Sequence[SomeWorker],
    lost: SomePerson,
    paper: ReadPaper | None = None,
    **shown: Any,
) -> Waiting:
    """The same, of somebody who is there, by two agents or by one. `paper`: what they read, where
    it is no anchor; `shown`: what else they type."""
    if paper is None:
        paper = some_paper()
        await with_anchor(lost.services, lost, paper)
    told = await begun(client, agents[0], paper, **shown)
    for other in agents[1:]:
        answer = await second(client, other, told["code"], paper, **shown)
        assert answer.status_code == 202, answer.text
    card = told["card"]["code"]
    pin = (await usable_pins(lost.services, lost))[0]
    return Waiting(lost, paper, card, bearer(await enter(client, card, PIN)), pin)


async def open_former(
    client: httpx.AsyncClient, waiting: Waiting, **changes: Any
) -> httpx.Response:
    """Open it now."""
    path, body = "/v1/me/recovery/open", waiting.body(**changes)
    return await client.post(path, headers=waiting.headers, json=body)


async def opened(
    client: httpx.AsyncClient, waiting: Waiting, moved_clock: MoveClock
) -> dict[str, str]:
    """Open it once its time has come: the headers of a session of it."""
    moved_clock(LATER)
    return bearer(await open_former(client, waiting))


async def own(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    """The recovery that a vault waits for."""
    answer = await client.get("/v1/me/recovery", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def papers(client: httpx.AsyncClient, headers: dict[str, str]) -> set[str]:
    """The ids of the papers that a session sees."""
    answer = await client.get("/v1/documents", headers=headers)
    assert answer.status_code == 200, answer.text
    return {one["id"] for one in answer.json()["items"]}


async def tap(client: httpx.AsyncClient, one: Waiting, code: str, status: int = 409) -> None:
    """Refused, with a line in the log of the vault that waits, which nothing else changed."""
    is_problem(await open_former(client, one), status, code)
    (line, *_) = await log_of(client, one.headers)
    assert (line["action"], line["outcome"]) == ("recovery.open", "refused")
    assert (await client.get("/v1/me/means", headers=one.lost.headers)).status_code == 200


def person_of(one: Waiting) -> SomePerson:
    """Whoever is in the vault that waits, for steps that ask a person's headers alone."""
    token = one.headers["Authorization"].removeprefix("Bearer ")
    return SomePerson(one.lost.id, "", token, one.lost.subject, one.lost.services)


async def two_agents(services: Services, as_owner: Database, make_worker: MakeWorker) -> Agents:
    """Two of one structure."""
    first = await agent(services, as_owner, make_worker, "Camille Moreau")
    other = await agent(
        services, as_owner, make_worker, "Nadia Benali", organisation=first.organisation_id
    )
    return first, other
