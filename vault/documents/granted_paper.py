"""One paper under a grant, without its content: what the list says of it, recorded as the list is.

For a page that shows one paper: its name and its dates are revealed again, so a line says it.
"""

from dataclasses import replace
from uuid import UUID

from audit.events import Action
from auth.subjects import Worker
from base.pipeline import fetch, fetch_one
from vault import rules
from vault.consent.grant_use import attempt_under
from vault.consent.records import grants as grant_records
from vault.decisions import Denial, record_allowed, record_denial
from vault.document_view import DocumentView
from vault.documents import records
from vault.documents.document_reader import open_document
from vault.documents.recorded_lines import record_once, state_of
from vault.rules import Allowed, Reason, reason_of
from vault.services import Services
from vault.tables import check_documents


async def see_granted(
    services: Services,
    worker: Worker,
    grant_id: UUID,
    document_id: UUID,
    *,
    goes_on: bool = False,
) -> tuple[DocumentView, bool]:
    """A paper that a grant covers, and whether its content may be read. `goes_on`: its pages are
    being leafed through, under the line that named it a moment ago. Raises `ServiceError`:
    `not_found`, `grant_revoked`, `grant_expired`, `outside_scope`."""
    paper: DocumentView | None = None
    # 1-3. Load, judge, record: what it says is opened once it is allowed, for its line.
    async with services.database.transaction() as tx:
        grant = await fetch_one(tx, grant_records.grant_for_use(grant_id))
        macs = await services.field_encryption.row_macs()
        judgement = rules.may_list(grant_records.grant_facts(macs, grant), caller=worker.party)
        attempt = await attempt_under(services, tx, grant, worker, Action.LIST, judgement)
        if grant is not None and isinstance(judgement, Allowed):
            found = await fetch(tx, records.covered(grant_id, before=_after(document_id), limit=1))
            rows = [row for row in found if row.id == document_id]
            check_documents(macs, rows)
            if rows:
                reader = await services.field_encryption.reader(grant.person_id, tx)
                paper = open_document(reader, rows[0])
                said = state_of(paper, may_read=grant.may_read)
                attempt = replace(attempt, documents=(document_id,), details=said)
                record = record_once if goes_on else record_allowed
                await record(services, tx, grant.at, attempt)
    if grant is None or not isinstance(judgement, Allowed):
        raise await record_denial(services, Denial(attempt, reason_of(judgement)))
    if paper is None:
        raise await record_denial(services, Denial(attempt, Reason.NOT_FOUND))
    # 4. Committed: only now does it leave.
    return paper, grant.may_read


def _after(document_id: UUID) -> UUID | None:
    """The id after it: lists are of the papers before an id."""
    return None if document_id.int == 2**128 - 1 else UUID(int=document_id.int + 1)
