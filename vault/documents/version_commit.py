"""The commit of a new version of a document: as that of a deposit, all or nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.living_vaults import hold_living_vault
from base.db_time import instant
from base.ids import new_id
from vault.decisions import AccessAttempt, record_allowed
from vault.document_view import DocumentView
from vault.documents import records
from vault.documents.deposit_commit import InCommit, OwnerView
from vault.documents.deposit_rows import (
    Depositor,
    NewVersion,
    VersionFiles,
    add_version,
    record_deposit,
)
from vault.documents.quotas import check_room, check_version_number
from vault.documents.version_values import values_of_before
from vault.services import Services

Changes = Callable[[AsyncConnection, DocumentView], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCommand:
    """A new version of a document to be made. `may_change` raises unless the document's row, or
    None, may be changed; `owner_view` opens it for the owner; `in_commit` as for a deposit.
    `changes`: the columns of the document that change too, given the document of before."""

    owner_id: UUID
    depositor: Depositor
    document_id: UUID
    may_change: Callable[[Row[Any] | None], None]
    owner_view: OwnerView
    in_commit: InCommit | None = None
    changes: Changes | None = None


async def commit_version(
    services: Services,
    command: VersionCommand,
    files: VersionFiles,
    before_commit: Callable[[], None],
) -> DocumentView:
    """Rows, jobs and event in one commit; none for what the document consists of already: whoever
    lost the answer sends it again. `before_commit` is called when only the commit remains, whose
    answer may be lost. A crash before leaves the version before."""
    owner_id, document_id = command.owner_id, command.document_id
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, owner_id)
        current = await records.document(tx, owner_id, document_id)
        command.may_change(current)
        assert current is not None  # noqa: S101  (else `may_change` has raised)
        before = await command.owner_view(tx, current)
        changed = {} if command.changes is None else await command.changes(tx, before)
        if not changed and current.v_content_tag == files.tag:
            return await _answer_again(services, tx, command, before)
        writer = await services.field_encryption.writer(owner_id, tx)
        number = await records.next_number(tx, owner_id, document_id)
        check_version_number(services, number)
        await check_room(services, tx, owner_id, size=files.size, documents=0)
        version = NewVersion(owner_id, document_id, number, await instant(tx))
        values = files.sealed_values | values_of_before(before.metadata)
        await add_version(services, tx, writer, replace(files, sealed_values=values), version)
        revision = new_id()
        await records.change_document(
            tx,
            await services.field_encryption.row_macs(),
            current,
            **changed | {"version_id": files.version_id, "revision": revision},
        )
        await record_deposit(
            services, tx, owner_id, command.depositor, Action.NEW_VERSION, document_id, version.at,
            revision=str(revision), version=number,
        )  # fmt: skip
        row = await records.document(tx, owner_id, document_id)
        assert row is not None  # noqa: S101  (changed in this transaction)
        view = await command.owner_view(tx, row)
        if command.in_commit is not None:
            await command.in_commit(tx, document_id)
        before_commit()
    return view


async def _answer_again(
    services: Services, tx: AsyncConnection, command: VersionCommand, view: DocumentView
) -> DocumentView:
    """The document as it is, which is seen again; its uploads are used all the same."""
    seen = AccessAttempt(
        action=Action.LIST,
        actor=command.depositor.actor,
        person=command.owner_id,
        documents=(view.id,),
    )
    await record_allowed(services, tx, await instant(tx), seen)
    if command.in_commit is not None:
        await command.in_commit(tx, view.id)
    return view
