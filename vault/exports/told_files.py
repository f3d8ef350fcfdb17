"""The files of an export beside its papers, in order: consents and logs of its vaults, the tree."""

from collections.abc import AsyncIterator, Container, Sequence
from datetime import datetime

from vault.exports.consent_files import consent_files
from vault.exports.export_vaults import ToldVault
from vault.exports.json_files import File
from vault.exports.log_files import EVENTS, folder_of, log_lines, tree_files
from vault.services import Services


async def told_files(
    services: Services, vaults: Sequence[ToldVault], until: datetime, done: Container[str]
) -> AsyncIterator[File]:
    """What was asked, given and recorded until then. `done`: the paths that are there already;
    the caller leaves out those that come all the same."""
    for vault in vaults:
        journal = folder_of(vault.number)
        lists = "" if vault.number is None else journal
        async for file in consent_files(services, vault.person.id, until, done, lists):
            yield file
        yield f"{journal}{EVENTS}", log_lines(services, vault.person, until)
    async for file in tree_files(services):
        yield file
