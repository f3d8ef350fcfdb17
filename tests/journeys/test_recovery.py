"""A lost phone and a lost card, in a browser: from the desk, with an identity paper that was
written down before, to an old paper that is read again two days later."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from base.database import Database
from tests.auth.means_steps import usable_pins
from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, SomeWorker
from tests.journeys.phones import SMALL, OpenPhone, Phone, Way, open_phone
from tests.openings import LATER, Agents
from tests.recoveries import PIN, ReadPaper, agent, messages_sent, some_paper, with_anchor
from tests.steps import deposit
from tests.vault.decoding import corpus
from tests.web.api.test_printed_cards import code_on
from tests.web.printouts.reading import text_of
from vault.services import Services

__all__ = ["open_phone"]

pytestmark = pytest.mark.browser
AT = "/pro/desk/recovery"


@dataclass(frozen=True)
class Lost:
    """Who has neither phone nor card any more: what stands on their identity paper, a paper that
    they have here, and a PIN that they may choose for it."""

    paper: ReadPaper
    document: str
    pin: str


@pytest.fixture
async def workers(services: Services, as_owner: Database, make_worker: MakeWorker) -> Agents:
    """Two, there for more than ninety days."""
    first = await agent(services, as_owner, make_worker, "Camille Moreau")
    return first, await agent(services, as_owner, make_worker, "Nadia Benali")


@pytest.fixture
async def lost(services: Services, client: httpx.AsyncClient, make_person: MakePerson) -> Lost:
    person, paper = await make_person(), some_paper()
    await with_anchor(services, person, paper)
    document = await deposit(client, person, corpus.plain_jpeg(), type_="payslip")
    return Lost(paper, document["id"], (await usable_pins(services, person))[0])


def to(step: str) -> str:
    return f"main form[action='{AT}/{step}'] button"


async def at_desk(open_phone: OpenPhone, served: Served, worker: SomeWorker) -> Phone:
    """A worker's own device, where they are signed in."""
    device = await open_phone()
    await device.context.add_cookies(
        [{"name": "unefois-worker", "value": worker.token, "url": served.base_url}]
    )
    return device


async def write(device: Phone, paper: ReadPaper) -> None:
    """What the agent reads on the identity paper."""
    await device.choose("#kind", paper["kind"])
    for name in ("family_name", "given_name", "birth_date", "document_end"):
        await device.fill(f"#{name}", paper[name])
    await device.tick("input[name=compared]")
    await device.press(to("who"))


async def printed(device: Phone, step: str, file: Path) -> bytes:
    async with device.page.expect_download() as downloading:
        await device.page.click(to(step))
    await (await downloading.value).save_as(file)
    return await asyncio.to_thread(file.read_bytes)


async def first_agent(device: Phone, paper: ReadPaper, folder: Path) -> tuple[str, str]:
    """From « Au guichet » to what is told: the code of the card, and that of the slip."""
    await device.go("/pro/desk")
    await device.press(f"main a[href='{AT}']")
    await device.press(f"main a[href='{AT}/language']")
    await device.press(f"button[value={device.way.language}]")
    await device.press(to("left"))
    await write(device, paper)
    assert await device.says("ce qui va se passer")
    await device.press(to("turn"))
    await device.press(to("pin"))
    assert await device.page.locator("nav.tabs, footer a").count() == 0
    for name in ("pin", "again"):
        await device.fill(f"#{name}", PIN)
    await device.press(to("open"))
    assert await device.says("Rendez l’appareil")
    await device.press(to("print"))
    card = code_on(await printed(device, "sheet.pdf", folder / "card.pdf"))
    slip = text_of(await printed(device, "slip.pdf", folder / "slip.pdf"))
    await device.press(to("end"))
    assert await device.says("Cinq choses à savoir")
    code = re.search(r"\d{3}\s\d{3}\s\d{4}", slip)
    assert code
    return card, code[0]


async def second_agent(device: Phone, paper: ReadPaper, code: str) -> None:
    """Another worker, on another device, in a session of their own."""
    await device.go(AT)
    await device.press(f"main a[href='{AT}/second']")
    await device.fill("#code", code)
    await device.press(to("second"))
    await device.press(to("left"))
    await write(device, paper)
    assert await device.says("C’est noté")


async def enter(device: Phone, card: str, pin: str) -> None:
    """By the new card, and the PIN that was chosen."""
    await device.go("/card")
    await device.fill("#card", card)
    await device.press("main form[action='/card'] button.main")
    if "/language" in device.page.url:
        under = "" if device.way.language == "fr" else "[href$='with=fr']"
        await device.press(f"a[hreflang={device.way.language}]{under}")
    await device.fill("#code", pin)
    await device.press("main form:has(#code) button.main")


@pytest.mark.parametrize(
    "open_phone",
    [Way(SMALL), Way(SMALL, script=True, language="ar")],
    ids=["plain", "script-ar"],
    indirect=True,
)
async def test_who_lost_phone_and_card_reads_an_old_paper_two_days_later(
    open_phone: OpenPhone,
    served: Served,
    workers: Agents,
    lost: Lost,
    moved_clock: MoveClock,
    tmp_path: Path,
) -> None:
    paper, old = lost.paper, f"main a[href='/documents/{lost.document}']"
    card, code = await first_agent(await at_desk(open_phone, served, workers[0]), paper, tmp_path)
    await second_agent(await at_desk(open_phone, served, workers[1]), paper, code)
    person = await open_phone()
    await enter(person, card, PIN)
    await person.go("/me")
    await person.press("main a[href='/recovery']")
    assert await person.says("C’est en attente.")
    assert await person.page.locator("main form[action='/recovery']").count() == 0
    await messages_sent(served.services)
    moved_clock(LATER)
    # Another day, with the card again: a device that others use keeps nothing.
    await enter(person, card, PIN)
    await person.go("/recovery")
    assert await person.says("Vous pouvez les ouvrir.")
    for name, typed in {"card": card, "proof": PIN, "pin": lost.pin, "again": lost.pin}.items():
        await person.fill(f"#{name}", typed)
    await person.press("main form[action='/recovery'] button.main")
    assert await person.says("Vos papiers d’avant sont ici")
    await person.press(old)
    shown = person.page.locator("main img").first
    assert await shown.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    # Entered as before, by the new card alone: the former vault has it now.
    await enter(person, card, lost.pin)
    await person.go("/documents")
    assert await person.page.locator(old).count()
