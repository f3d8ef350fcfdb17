"""The keyed hash by which a vault finds a paper that it holds already, of papers that came from
another one: the key is each person's own, so that it is made anew from the content.

Read by the service for itself, and revealed to nobody, as by a virus scan: not recorded.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from base.key_names import CONTENT, ORIGINAL
from base.locks import hold_vault
from storage.errors import KeyDestroyed
from vault.documents import records, retrieval
from vault.services import Services


async def content_tag(
    services: Services, owner_id: UUID, files: Sequence[Any], *, under: UUID
) -> bytes:
    """The tag, `under` a person's key, of the originals of a version of `owner_id`: as a deposit
    makes it (`intake.receive`). Raises `KeyDestroyed`, and what reading raises."""
    digest = (await services.field_encryption.writer(under)).hasher(CONTENT)
    for file in files:
        if file.role != ORIGINAL:
            continue
        source = await retrieval.open_for_scan(services, owner_id, file)
        async for piece in source.slices():
            digest.update(piece)
        digest.update(source.length.to_bytes(8, "big"))
    return digest.digest()


async def tag_again(services: Services, owner_id: UUID, version_id: UUID) -> None:
    """Make the tag of a version anew. Nothing is done for one that is gone. Twice does the same."""
    async with services.database.transaction() as tx:
        files = await records.files_of(tx, owner_id, version_id)
    if not files:
        return
    try:
        tag = await content_tag(services, owner_id, files, under=owner_id)
    except KeyDestroyed:
        return
    async with services.database.transaction() as tx:
        await hold_vault(tx, owner_id)
        macs = await services.field_encryption.row_macs()
        await records.change_version(tx, macs, owner_id, version_id, content_tag=tag)
