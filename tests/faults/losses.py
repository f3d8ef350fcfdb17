"""That nothing acknowledged is lost: documents, their log, requests, messages, the whole log."""

import asyncio
import re
import time
from collections import Counter

import httpx

from tests.faults.installation import Installation
from tests.faults.load import Load, Vault
from tests.faults.processes import command
from tests.steps import log_of

_MESSAGE_SECONDS = 75.0
"""More than the lease of a message that a killed process had taken."""
_LEAF_SECONDS = 15.0
_NO_LEAF = (
    "SELECT count(*) FROM unefois.access_event e"
    " WHERE NOT EXISTS (SELECT FROM unefois.log_leaf l WHERE l.event_id = e.id)"
)


async def nothing_lost(site: Installation, load: Load, *, address: str | None = None) -> str:
    """Check everything that was acknowledged so far; what was checked, for the table."""
    at = address or next(iter(site.addresses.values()))
    documents = 0
    async with httpx.AsyncClient(base_url=at, timeout=30, trust_env=False) as http:
        for vault in load.vaults:
            documents += await _documents(http, vault)
            await _log(http, vault)
    await _requests(site, load)
    await _messages(site, load)
    await _leaves(site)
    leaves = await _reconciled(site)
    done = load.acknowledged
    messages = len(done.phones) + done.emails.total()
    reads = sum(vault.read.total() for vault in load.vaults)
    return (
        f"{documents} documents equal, {reads} reads in the log, {len(done.requests)} requests,"
        f" {messages} messages arrived, {leaves} leaves reconciled"
    )


async def _documents(http: httpx.AsyncClient, vault: Vault) -> int:
    """Each deposit, read back by its owner, is what they sent; those already read are not again."""
    for document in vault.deposited.keys() - vault.checked:
        path = f"/v1/documents/{document}/content"
        answer = await http.get(path, headers=vault.headers)
        assert answer.status_code == 200, f"a deposit is lost: {answer.status_code}"
        assert answer.content == vault.deposited[document], "a deposit is not what was sent"
        vault.checked.add(document)
    return len(vault.checked)


async def _log(http: httpx.AsyncClient, vault: Vault) -> None:
    """Each deposit and each read is in its person's log, and the newest line is not of tomorrow."""
    deposited: set[str] = set()
    read: Counter[str] = Counter()
    for entry in await log_of(http, vault.headers):
        if entry["outcome"] == "allowed" and entry["action"] == "document.deposit":
            deposited.update(entry["documents"])
        if entry["outcome"] == "allowed" and entry["action"] == "document.read":
            read.update(entry["documents"])
    assert set(vault.deposited) <= deposited, "a deposit is not in its person's log"
    assert vault.read <= read, "a read is not in its person's log"


async def _requests(site: Installation, load: Load) -> None:
    found = await site.query(
        "SELECT count(*) FROM unefois.consent_request WHERE id = ANY(%s::uuid[])",
        [load.acknowledged.requests],
    )
    assert found[0][0] == len(load.acknowledged.requests), "a consent request is lost"


async def _messages(site: Installation, load: Load) -> None:
    """Each message that was promised arrives, if not at once."""
    deadline = time.monotonic() + _MESSAGE_SECONDS
    while True:
        missing = [one for one in load.acknowledged.phones if one not in site.gateway.taken]
        unsent = late_emails(site, load)
        if not missing and not unsent:
            return
        late = f"{len(missing)} SMS and {len(unsent)} e-mails are lost"
        assert time.monotonic() < deadline, late
        await asyncio.sleep(0.25)


def late_emails(site: Installation, load: Load) -> list[str]:
    """The addresses that got fewer e-mails than they were promised."""
    promised, taken = load.acknowledged.emails, site.mailbox.taken
    return [address for address, number in promised.items() if taken[address] < number]


async def _leaves(site: Installation) -> None:
    deadline = time.monotonic() + _LEAF_SECONDS
    while (without := (await site.query(_NO_LEAF))[0][0]) > 0:
        assert time.monotonic() < deadline, f"{without} events have no leaf"
        await asyncio.sleep(0.25)


async def _reconciled(site: Installation) -> int:
    """The operator's own check finds no fault; how many leaves it saw."""
    said = await command(site.environment, "audit", "reconcile")
    assert len(re.findall(r"\b0 faults", said)) == 2, said[-500:]
    found = re.search(r"(\d+) leaves", said)
    assert found, said
    return int(found[1])
