"""How somebody opens again, over HTTP, what they had lost, in steps of a story."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from tests.auth.means_steps import bearer, enter, usable_pins
from tests.fixtures import MakePerson, MoveClock, SomePerson, SomeWorker
from tests.recoveries import PIN, ReadPaper, begun, second, some_paper, with_anchor
from vault.recovery.recovery_rules import WAIT

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
    client: httpx.AsyncClient, agents: Agents, lost: SomePerson, paper: ReadPaper | None = None
) -> Waiting:
    """The same, of somebody who is there. `paper`: what the agents read, where it is another."""
    if paper is None:
        paper = some_paper()
        await with_anchor(lost.services, lost, paper)
    told = await begun(client, agents[0], paper)
    answer = await second(client, agents[1], told["code"], paper)
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
