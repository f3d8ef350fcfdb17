"""The person's own deposit: a new document, or the one already held with the same bytes."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.subjects import Person
from vault.document_view import DocumentMetadata, DocumentView
from vault.documents.deposit import deposit
from vault.documents.deposit_commit import (
    DepositCommand,
    Deposited,
    InCommit,
    OwnerView,
    check_offered,
)
from vault.documents.deposit_rows import Depositor
from vault.documents.document_reader import open_document
from vault.documents.intake import Incoming
from vault.services import Services
from vault.tables import check_documents


def owner_view(services: Services, person: Person) -> OwnerView:
    """What opens a document for its owner, in the transaction of a deposit."""

    async def view(tx: AsyncConnection, row: Row[Any]) -> DocumentView:
        check_documents(await services.field_encryption.row_macs(), [row])
        return open_document(await services.field_encryption.reader(person.id, tx), row)

    return view


async def deposit_own(
    services: Services,
    person: Person,
    incoming: Incoming,
    metadata: Callable[[], DocumentMetadata],
    *,
    idempotency_key: str | None = None,
    in_commit: InCommit | None = None,
    origin: str = "",
) -> Deposited:
    """Store a document of the person, or return the one that already has these bytes.

    `metadata` is called after the files are read, because a form's fields may follow its files.
    A retired type is refused (`document_type_retired`). `origin`: of a paper of an import.
    """

    def offered() -> DocumentMetadata:
        stated = metadata()
        check_offered(stated.type)
        return stated

    command = DepositCommand(
        owner_id=person.id,
        depositor=Depositor(person.actor(), origin=origin),
        metadata=offered,
        owner_view=owner_view(services, person),
        idempotency_key=idempotency_key,
        in_commit=in_commit,
    )
    return await deposit(services, command, incoming)
