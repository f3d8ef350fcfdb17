"""« Reprendre ailleurs »: a copy that was taken from another installation is brought here, looked
at, and after its person's yes its papers come in, as their own word.

What the zip says of itself opens nothing: somebody else's comes in as papers that one holds.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, closings, holder_proofs, means_log
from auth.holder_proofs import Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Person
from auth.visitor import UNKNOWN, Visitor
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid
from base.pipeline import write
from vault import jobs
from vault.decisions import AccessAttempt, record_allowed, record_refusal
from vault.documents.uploads.pieces import BodyCut, delete_blobs
from vault.exports import archives, import_rows, import_uploads, records
from vault.exports.archives import Superseded
from vault.exports.import_rows import State, Values
from vault.exports.import_uploads import check_offset, most_bytes, too_large
from vault.rules import Reason
from vault.services import Services

BROUGHT = Rate(4, timedelta(hours=3))
"""How many imports a vault begins."""
UNKNOWN_LENGTH = -1
"""Of a body that nobody said the length of."""
OVER: tuple[State, ...] = ("done", "refused")


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What the export says of itself: the address that it was made at, which keys signed it, when,
    how many papers and receipts it has, and how many papers stay in it. Nobody vouches for it.
    `lines`: of its log, that the log's key proves."""

    origin: str
    made_at: datetime
    key: str
    papers: int
    receipts: int
    lines: int
    left: int


@dataclass(frozen=True, slots=True)
class RefusedPaper:
    """A paper that did not come in: its name, and the error that says why."""

    named: str = field(repr=False)
    code: str
    values: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import. `announced`: of how many bytes, where that was said; `handled`: papers that came
    in, that were here already, or that were refused; `problem`: why all of it is refused."""

    id: UUID
    state: State
    length: int
    announced: int | None
    asked_at: datetime
    expires_at: datetime
    summary: ImportSummary | None
    handled: int
    added: int
    held: int
    not_taken: int
    refused: tuple[RefusedPaper, ...]
    waits: str | None
    problem: str | None


async def check_alone(services: Services, person: Person) -> None:
    """Raise `not_when_assisted`, recorded, before anything of a request is read."""
    await assistance.check_alone(services, person, Action.VAULT_IMPORTED)


async def begin(services: Services, person: Person, *, announced: int) -> ImportView:
    """Begin an import of so many bytes, which are then sent; -1 where nobody said. One that was
    never received whole is begun anew. Raises `not_when_assisted`, recorded; TOO_LARGE
    `import_too_large`, INVALID `file_empty`, CONFLICT `import_under_way`, TOO_MANY
    `too_many_requests`, REFUSED `service_closed`."""
    await check_alone(services, person)
    if announced > most_bytes(services):
        raise too_large(services)
    if announced == 0:
        raise invalid("file_empty")
    await _check_open(services)
    await _check_none(services, person)
    await _take_turn(services, person)
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        keys = await _make_place(tx, person)
        row = await import_rows.add(services, tx, person, announced=announced)
    # A crash here leaves blobs of no row, of an import that was over.
    await delete_blobs(services, keys)
    return await see(services, person, row["id"])


async def append(
    services: Services,
    person: Person,
    import_id: UUID,
    *,
    offset: int,
    slices: AsyncIterator[bytes | memoryview],
) -> ImportView:
    """Receive more of an import, as `import_uploads.append`; with its last byte, a job looks at it.
    Raises `not_found` and `not_when_assisted`, recorded."""
    await check_alone(services, person)
    row = await _own(services, person, import_id)
    check_offset(row, offset)
    values = await import_rows.opened(services, row)
    await import_uploads.append(services, row, values, offset, slices)
    return await see(services, person, import_id)


async def receive(
    services: Services, person: Person, *, announced: int, slices: AsyncIterator[bytes | memoryview]
) -> ImportView:
    """A whole import in one request; `announced`: as for `begin`. Of one that is cut nothing stays:
    nobody was told its id. Raises as `begin` and `append`, and INVALID `import_cut`."""
    begun = await begin(services, person, announced=announced)
    try:
        view = await append(services, person, begun.id, offset=0, slices=slices)
        if view.state == "receiving":
            view = await _end(services, person, view)
    except (ServiceError, BodyCut) as failure:
        await archives.delete(services, person.id, begun.id)
        if isinstance(failure, BodyCut):
            raise invalid("import_cut") from None
        if failure.kind is ErrorKind.NOT_FOUND:  # begun anew elsewhere, or given up
            raise ServiceError(ErrorKind.CONFLICT, "import_over") from None
        raise
    return view


async def latest(services: Services, person: Person) -> ImportView | None:
    """The import that the vault has, if it has one. Not recorded: only its own person sees it."""
    async with services.database.transaction() as tx:
        rows = await records.living(tx, person.id, records.IMPORT)
    return await _view(services, rows[0]) if rows else None


async def see(services: Services, person: Person, import_id: UUID) -> ImportView:
    """An import of the person. Raises `not_found`, recorded."""
    return await _view(services, await _own(services, person, import_id))


async def say_yes(
    services: Services,
    person: Person,
    import_id: UUID,
    proof: Proof,
    visitor: Visitor = UNKNOWN,
) -> ImportView:
    """« C’est bien à moi »: its papers come in from now on. Said twice, it is said once. Raises as
    `auth.holder_proofs.show`; `not_found`, recorded; INVALID for one that is refused, with the
    reason; CONFLICT `import_not_ready`, `import_over`. A crash before the commit leaves the
    question; after it, a job goes on."""
    action = Action.VAULT_IMPORTED
    await check_alone(services, person)
    view = await see(services, person, import_id)
    if view.state == "coming":
        return view
    _check_asked(services, view)
    await _check_open(services)
    shown = await holder_proofs.show(services, person, action, proof, visitor)
    async with services.database.transaction() as tx:
        said = await _say_yes(services, tx, person, import_id, shown)
    if not said:
        raise ServiceError(ErrorKind.REFUSED, "proof_wrong")
    return await see(services, person, import_id)


async def cancel(services: Services, person: Person, import_id: UUID) -> None:
    """Give an import up, or forget one that is over. What came in stays. Raises `not_found`,
    `not_when_represented`, recorded."""
    await assistance.check_self(services, person, Action.VAULT_IMPORTED)
    await _own(services, person, import_id)
    if not await archives.delete(services, person.id, import_id):
        raise await _unknown(services, person)


async def _check_open(services: Services) -> None:
    """Raise `service_closed` after the last day of the service. Each paper is judged again as it
    comes in."""
    async with services.database.transaction() as tx:
        await closings.check_open(services, tx)


async def _check_none(services: Services, person: Person) -> None:
    """Raise `import_under_way` where one is, before it costs a turn."""
    found = await latest(services, person)
    if found is not None and found.state not in (*OVER, "receiving"):
        raise ServiceError(ErrorKind.CONFLICT, "import_under_way")


async def _make_place(tx: AsyncConnection, person: Person) -> list[str]:
    """Delete the imports that are over, or were not received, judged under the vault's lock; their
    blobs."""
    keys: list[str] = []
    for row in await records.living(tx, person.id, records.IMPORT):
        if row.ready_at is not None and row.done_at is None:
            raise ServiceError(ErrorKind.CONFLICT, "import_under_way")
        keys += await records.blob_keys_of(tx, person.id, row.id)
        await records.delete_archive(tx, person.id, row.id)
    return keys


async def _take_turn(services: Services, person: Person) -> None:
    taken = await SharedBuckets(services, "import", BROUGHT).take(person.id.bytes, 1)
    if not taken.granted:
        wait = max(1, round(taken.wait))
        raise await record_refusal(services, _attempt(person), Reason.PACED, retry_after=wait)


async def _end(services: Services, person: Person, view: ImportView) -> ImportView:
    """The end of a body whose length nobody had said is the end of the zip."""
    if view.length == 0:
        raise invalid("file_empty")
    if view.announced is not None:
        raise BodyCut
    async with services.database.transaction() as tx:
        row = await import_rows.hold_living(services, tx, person.id, view.id)
        check_offset(row, view.length)
        values = await import_rows.opened(services, row)
        await import_rows.end_receiving(services, tx, row, await instant(tx), values)
    return await see(services, person, view.id)


_PROBLEMS: dict[str, tuple[ErrorKind, str]] = {
    "import_cut": (ErrorKind.INVALID, "import_cut"),
    "import_unknown": (ErrorKind.INVALID, "import_unknown"),
    "import_altered": (ErrorKind.INVALID, "import_altered"),
}


def _check_asked(services: Services, view: ImportView) -> None:
    if view.problem == "import_too_large":
        raise too_large(services)
    if view.problem is not None:
        raise ServiceError(*_PROBLEMS[view.problem])
    if view.state in OVER:
        raise ServiceError(ErrorKind.CONFLICT, "import_over")
    if view.state != "asked":
        raise ServiceError(ErrorKind.CONFLICT, "import_not_ready")


async def _say_yes(
    services: Services, tx: AsyncConnection, person: Person, import_id: UUID, shown: ShownProof
) -> bool:
    """False where the proof served something else meanwhile, which is recorded. The state, the job
    and the line: one commit."""
    try:
        row = await import_rows.hold_living(services, tx, person.id, import_id)
    except Superseded:
        raise ServiceError(ErrorKind.CONFLICT, "import_over") from None
    values = await import_rows.opened(services, row)
    if values["state"] == "coming":
        return True
    if not await holder_proofs.serves(services, tx, person, shown):
        await means_log.record(services, tx, person, Action.VAULT_IMPORTED, reason="proof_wrong")
        return False
    await holder_proofs.spend(services, tx, person, shown)
    at = await instant(tx)
    coming = {**values, "state": "coming", "language": person.language}
    coming |= {"handled": 0, "added": 0, "held": 0, "not_taken": 0, "refused": []}
    await import_rows.change(services, tx, row, at, coming)
    await write(tx, jobs.import_job(person.id, import_id))
    summary = values["summary"]
    told = {"papers": summary["papers"], "origin": summary["origin"]}
    await record_allowed(services, tx, at, _attempt(person, **told))
    return True


async def _own(services: Services, person: Person, import_id: UUID) -> Any:
    async with services.database.transaction() as tx:
        row = await records.archive(tx, person.id, import_id)
    if row is None or row.kind != records.IMPORT:
        raise await _unknown(services, person)
    (await services.field_encryption.row_macs()).check(records.ARCHIVE_ROW, row)
    return row


async def _unknown(services: Services, person: Person) -> ServiceError:
    """Another person's, over, or none: recorded in the caller's log, same answer (inv. 7)."""
    return await record_refusal(services, _attempt(person), Reason.NOT_FOUND)


async def _view(services: Services, row: Any) -> ImportView:
    (await services.field_encryption.row_macs()).check(records.ARCHIVE_ROW, row)
    values = await import_rows.opened(services, row)
    announced = values["announced"]
    return ImportView(
        row.id,
        values["state"],
        row.length,
        None if announced < 0 else announced,
        row.asked_at,
        row.expires_at,
        _summary(values),
        values.get("handled", 0),
        values.get("added", 0),
        values.get("held", 0),
        values.get("not_taken", 0),
        tuple(RefusedPaper(*one) for one in values.get("refused", ())),
        values.get("waits"),
        values.get("problem"),
    )


def _summary(values: Values) -> ImportSummary | None:
    said = values.get("summary")
    if said is None:
        return None
    return ImportSummary(**{**said, "made_at": datetime.fromisoformat(said["made_at"])})


def _attempt(person: Person, **details: str | int) -> AccessAttempt:
    action = Action.VAULT_IMPORTED
    return AccessAttempt(action=action, actor=person.actor(), person=person.id, details=details)
