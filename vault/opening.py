"""Opening: documents listed and content streamed, each access recorded before it is revealed.

Retrieval under a grant, in the order that matters (invariants 1 to 3):

1. load the grant `FOR SHARE` with the document and its file: nothing is unsealed to judge;
2. `rules.may_open`, on the database's clock;
3. record, both outcomes, committed;
4. unwrap the file's key;
5. stream slices of at most 64 KiB, no database connection held, watched for revocation;
6. how it ended is noted after the fact, in batches (`vault/completions.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from audit.events import Action
from auth.credentials import Asker, Credentials, ask
from auth.records.instants import instant
from auth.subjects import Person, Recipient, kind_of
from base import clock
from base.errors import Failure, Kind
from base.rounds import Rows
from storage import content
from storage.content import Address, Content
from vault import rules
from vault.cursors import Page, cut, read
from vault.decoding.media import MediaType
from vault.house import House
from vault.judging import Act, Declined, allow, allow_and_commit, check_token, decline
from vault.papers import DOCUMENT, VERSION, Paper, open_paper
from vault.records import grants, openings
from vault.rules import Allowed, GrantAction, Reason, Refused

GRANT = "grant"
_NOT_THERE: rules.Judgement = Refused(Reason.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Recorded and committed: content that may now leave, and what to say of it.

    The caller MUST send it while `house.revocations.watching` its grant, stop when told to, and
    note to `house.completions` how it ended.
    """

    event_id: UUID
    version_id: UUID
    media_type: str
    file_name: str | None = field(repr=False)
    type_code: str
    content: Content
    judged_at: float
    grant_id: UUID | None = None
    seconds_left: float | None = None

    @property
    def length(self) -> int:
        """Plaintext bytes."""
        return self.content.length


async def list_covered(
    house: House, asker: Asker, grant_id: UUID, *, cursor: str | None, limit: int
) -> tuple[Page[Paper], bool]:
    """The documents that a grant covers, and whether their content may be read too."""
    after = read(cursor)
    await _check_token(house, asker, Action.LIST)
    async with house.database.rounds.transaction() as tx:
        recipient, rows = await ask(house, tx, asker, openings.judged_alone(grant_id))
        row = rows[0] if rows else None
        judgement = (
            _NOT_THERE
            if row is None
            else rules.may_list(
                grants.facts(row),
                recipient_kind=kind_of(recipient),
                recipient_id=recipient.id,
                now=row.at,
            )
        )
        act = await _act(house, recipient, Action.LIST, grant_id, row)
        found: Rows = ()
        if row is not None and isinstance(judgement, Allowed):
            before = None if after is None else after[1]
            (found,) = await tx.ask(openings.covered(row, before=before, limit=limit + 1))
            shown = tuple(one.id for one in found[:limit])
            await allow_and_commit(house, tx, row.at, replace(act, documents=shown))
    if row is None or isinstance(judgement, Refused):
        raise await decline(house, Declined(act, _reason(judgement)))
    sealer = await house.fields.of(row.person_id)
    papers = [open_paper(sealer, one) for one in found[:limit]]
    return Page(papers, cut(found, limit, lambda one: (0, one.id))), row.may_read


async def open_granted(
    house: House, asker: Asker, grant_id: UUID, document_id: UUID, *, preview: bool = False
) -> Stream:
    """Content (or the preview) of a document under a grant."""
    action = Action.PREVIEW if preview else Action.READ
    await _check_token(house, asker, action)
    judged_at = clock.monotonic()
    # 1-3. Load, judge, record: who asks and what for in one round, the line and the commit in one.
    async with house.database.rounds.transaction() as tx:
        question = openings.judged(grant_id, document_id, preview=preview)
        recipient, rows = await ask(house, tx, asker, question)
        row = rows[0] if rows else None
        judgement = (
            _NOT_THERE
            if row is None
            else rules.may_open(
                grants.facts(row),
                openings.document_facts(row),
                recipient_kind=kind_of(recipient),
                recipient_id=recipient.id,
                action=GrantAction.READ,
                now=row.at,
            )
        )
        act = await _act(house, recipient, action, grant_id, row, document_id)
        event_id: UUID | None = None
        if row is not None and isinstance(judgement, Allowed):
            event_id = await allow_and_commit(house, tx, row.at, act)
    if row is None or event_id is None:
        raise await decline(house, Declined(act, _reason(judgement)))
    # 4. Only now may a key be unwrapped.
    return await _stream(
        house,
        row.person_id,
        row,
        event_id,
        judged_at,
        grant_id=grant_id,
        seconds_left=(row.ends_at - row.at).total_seconds(),
        preview=preview,
    )


async def open_own(
    house: House, person: Person, document_id: UUID, *, part: int | None, preview: bool
) -> Stream:
    """The person's own document: the original; of several photos, the paper made of them, or the
    photo number `part` (from 1). Recorded too, and shown to them as "you"."""
    action = Action.PREVIEW if preview else Action.READ
    judged_at = clock.monotonic()
    act = Act(action=action, actor=person.actor(), person=person.id, documents=(document_id,))
    async with house.database.transaction() as tx:
        files = await openings.own_files(tx, person.id, document_id)
        row = _own_file(files, part, preview=preview)
        event_id = await allow(house, tx, await instant(tx), act) if files else None
    if event_id is None:
        raise await decline(house, Declined(replace(act, documents=()), Reason.NOT_FOUND))
    return await _stream(house, person.id, row, event_id, judged_at, preview=preview)


async def open_for_scan(house: House, owner_id: UUID, file: Row[*tuple[Any, ...]]) -> Content:
    """An original, for the service's own scanner: nobody is shown anything, nothing is logged."""
    address = Address(file.id, file.role, file.blob_key, file.envelope)
    return await content.opening(house.storage.blobs, house.storage.keys, owner_id, address)


def _own_file(files: Sequence[Row[Any]], part: int | None, *, preview: bool) -> Row[Any] | None:
    """Which file the owner asked for."""
    originals = [one for one in files if one.role == "original"]
    if preview:
        wanted = [one for one in files if one.role == "preview"]
    elif part is not None:
        wanted = originals[part - 1 : part] if part > 0 else []
    elif len(originals) > 1:
        wanted = [one for one in files if one.role == "rendition"]
    else:
        wanted = originals
    return wanted[0] if wanted else None


async def _stream(
    house: House,
    owner_id: UUID,
    row: Any,
    event_id: UUID,
    judged_at: float,
    *,
    preview: bool,
    grant_id: UUID | None = None,
    seconds_left: float | None = None,
) -> Stream:
    """Unwrap the key of a file whose opening is recorded and committed."""
    if row is None or row.file_id is None:
        # Allowed and recorded, and there is nothing to show: no such page, or not drawn yet.
        house.completions.note(event_id, completed=False)
        raise Failure(Kind.NOT_FOUND, "no_preview" if preview else "not_found")
    sealer = await house.fields.of(owner_id)
    facts = sealer.open(DOCUMENT, row.document_id, row.document_sealed)
    file = sealer.open(VERSION, row.version_id, row.version_sealed)
    media_type, file_name = _told(file, row, own=grant_id is None)
    address = Address(row.file_id, row.role, row.blob_key, row.envelope)
    return Stream(
        event_id=event_id,
        version_id=row.version_id,
        media_type=media_type,
        file_name=file_name,
        type_code=facts["type"],
        content=await content.opening(house.storage.blobs, house.storage.keys, owner_id, address),
        judged_at=judged_at,
        grant_id=grant_id,
        seconds_left=seconds_left,
    )


def _told(file: dict[str, Any], row: Any, *, own: bool) -> tuple[str, str | None]:
    """The media type of what leaves, and the owner's own name for it."""
    if row.role == "preview":
        return MediaType.JPEG.value, None
    if own and row.role == "original":
        part = file["parts"][row.position]
        return part["media_type"], part["file_name"]
    return file["rendition_media_type"], None


async def _act(
    house: House,
    recipient: Recipient,
    action: Action,
    grant_id: UUID,
    row: Any,
    document_id: UUID | None = None,
) -> Act:
    """The line to record: in the log of the vault that the grant was given on, if there is one.

    It carries the purpose that the person agreed to, so that each line can be read alone.
    """
    if row is None:
        return Act(action=action, actor=recipient.actor(), grant=None)
    terms = (await house.fields.of(row.person_id)).open(GRANT, row.id, row.sealed)
    theirs = document_id is not None and row.same_person
    return Act(
        action=action,
        actor=recipient.actor(),
        person=row.person_id,
        grant=grant_id,
        documents=(document_id,) if document_id is not None and theirs else (),
        purpose_code=terms["purpose_code"],
        purpose=terms["purpose"],
    )


async def _check_token(house: House, asker: Asker, action: Action) -> None:
    """A session is narrowed by no scope; an access token is."""
    if not isinstance(asker, Credentials):
        await check_token(house, asker, "documents", action)


def _reason(judgement: rules.Judgement) -> Reason:
    return judgement.reason if isinstance(judgement, Refused) else Reason.NOT_FOUND
