"""The pictures of a paper that is being added: received, decoded at once, shown small.

They are decoded while the paper is still at hand, so that one that is cut or no picture is told
then. What is wrong with one leaves the others.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.subjects import Person
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid
from vault.decisions import AccessAttempt, record_allowed
from vault.documents.intake import Allowance, Incoming, IncomingFile
from vault.documents.quotas import check_room
from vault.documents.uploads import drafts
from vault.documents.uploads.draft_rows import Draft, Picture
from vault.documents.uploads.drafts import Attached
from vault.documents.uploads.finished_uploads import FinishedUpload
from vault.documents.uploads.whole_files import WholeFile, keep_file, read_whole
from vault.services import Services

_OF_ONE = (ErrorKind.INVALID, ErrorKind.UNSUPPORTED_TYPE, ErrorKind.TOO_LARGE)
"""What may be wrong with one file of a form, and not with the next."""
_LATER = (ErrorKind.UNAVAILABLE, ErrorKind.TOO_MANY)
"""The decoder has no time now: the picture is kept all the same, and judged with the document."""


@dataclass(slots=True)
class Received:
    """What came of a form: the pictures that are kept, the draft that they are in, and what was
    wrong with the others. `of`: the draft that they were sent to; `sent_before`: those that were
    uploads already, which a form that comes to nothing leaves; `there_before`: those that a draft
    had already, since the answer to the same form was lost."""

    draft: Draft | None = None
    of: UUID | None = None
    pictures: list[Picture] = field(default_factory=list)
    failures: list[ServiceError] = field(default_factory=list)
    sent_before: set[UUID] = field(default_factory=set)
    there_before: set[UUID] = field(default_factory=set)


async def receive(
    services: Services,
    person: Person,
    incoming: Incoming,
    draft: Draft | None = None,
    *,
    values: Mapping[str, str] | None = None,
) -> Received:
    """The files of a form, each kept or refused for itself. `draft`: the one that they go to; or a
    new one with these `values`. Raises what is wrong with the form as a whole, and then keeps none
    of them."""
    received, position = Received(draft, draft.id if draft else None), 0
    known = dict(values or {}) if draft is None else _unled(draft)
    held = draft.pictures if draft else ()
    left = services.settings.max_document_bytes - (draft.size if draft else 0)
    await _check_room(services, person, incoming.announced)
    try:
        async for file in incoming.files():
            position += 1
            try:
                _check_count(services, len(held) + len(received.pictures))
                room = max(0, left - sum(one.size for one in received.pictures))
                await _receive_one(services, person, file, room, (received, known))
            except ServiceError as failure:
                if failure.kind not in _OF_ONE:
                    raise
                failure.values["part"] = position
                received.failures.append(failure)
    except BaseException:
        await forget(services, person, received)
        raise
    if position == 0:
        raise invalid("file_missing", fields=[("file",)])
    _number(received.failures, position)
    return received


async def forget(services: Services, person: Person, received: Received) -> None:
    """Delete what was received, but for what was sent before: it can be named again."""
    new = [one for one in received.pictures if one.id not in received.there_before]
    await _detach(services, person, received, new, spare=received.sent_before)
    received.pictures = []


async def preview(
    services: Services, person: Person, draft_id: UUID, picture_id: UUID
) -> AsyncIterator[bytes]:
    """The small picture (JPEG) of a picture of a draft, which may leave: that it is looked at is
    recorded and committed. Raises `not_found`, recorded; `no_preview`."""
    _, picture = await drafts.see_picture(services, person, draft_id, picture_id)
    small = picture.preview
    if small is None:
        raise ServiceError(ErrorKind.NOT_FOUND, "no_preview")
    attempt = AccessAttempt(action=Action.PREVIEW, actor=person.actor(), person=person.id)
    async with services.database.transaction() as tx:
        await record_allowed(services, tx, await instant(tx), attempt)
    return read_whole(services, person.id, small)


def _check_count(services: Services, held: int) -> None:
    if held >= services.settings.max_parts:
        raise invalid("too_many_files", fields=[("file",)], limit=services.settings.max_parts)


async def _check_room(services: Services, person: Person, announced: int) -> None:
    """Refuse before the first byte what will not fit; each file is judged again at its end."""
    async with services.database.pipeline.transaction() as tx:
        await check_room(services, tx, person.id, size=announced)


def _number(failures: list[ServiceError], files: int) -> None:
    """« La photo 3 sur 5 » is what a person can find again; one alone has no number."""
    for failure in failures:
        if files > 1:
            failure.values["parts"] = files
        else:
            del failure.values["part"]


def _unled(draft: Draft) -> dict[str, str]:
    """What is said of a paper, without the request that the first one is added for."""
    return {name: value for name, value in draft.values.items() if name != "then"}


async def _receive_one(
    services: Services,
    person: Person,
    file: IncomingFile,
    room: int,
    into: tuple[Received, Mapping[str, str]],
) -> None:
    """A picture, in its draft from the commit that keeps it on: a crash later leaves one without a
    small picture, or that was not decoded yet, and that is judged with the document."""
    received, values = into

    async def attach(tx: AsyncConnection, kept: WholeFile) -> Attached:
        picture = Picture(kept.id, None, kept.media_type.value, kept.length)
        return await drafts.attach(services, tx, person, received.draft, values, picture)

    if isinstance(file, FinishedUpload):
        received.sent_before.add(file.id)
        kept, attached = await file.take_up(Allowance(room), attach)
    else:
        kept, attached = await keep_file(services, person, file, Allowance(room), attach)
    received.draft, picture = attached.draft, attached.picture
    if picture.preview is not None:
        received.there_before.add(picture.id)
        received.pictures.append(picture)
        return
    try:
        small = await _small_picture(services, person, kept)
        if small is not None:
            picture = await _keep_small(services, person, attached.draft.id, picture, small)
    except BaseException:
        await _detach(services, person, received, [picture])
        raise
    received.pictures.append(picture)


async def _detach(
    services: Services,
    person: Person,
    received: Received,
    pictures: list[Picture],
    *,
    spare: Collection[UUID] = (),
) -> None:
    await drafts.detach(services, person, pictures, of=received.of, spare=spare)
    if received.draft is not None:
        left = received.draft.without([one.id for one in pictures])
        received.draft = left if left.pictures or left.id == received.of else None


async def _keep_small(
    services: Services, person: Person, draft_id: UUID, picture: Picture, small: "_InMemory"
) -> Picture:
    async def note(tx: AsyncConnection, kept: WholeFile) -> Draft:
        shown = replace(picture, preview=kept.id)
        return await drafts.set_preview(services, tx, person, draft_id, shown)

    kept, _ = await keep_file(services, person, small, _small_room(), note)
    return replace(picture, preview=kept.id)


async def _small_picture(services: Services, person: Person, kept: WholeFile) -> "_InMemory | None":
    """A picture of its first page. Raises what the decoder finds wrong with the file."""

    def source() -> AsyncIterator[bytes]:
        return read_whole(services, person.id, kept.id)

    decoder, size = services.decoder, kept.length
    try:
        async with await decoder.inspect([source], account=person.id, size=size) as decoded:
            picture = decoded.preview
        if picture is None:
            picture = await decoder.preview(source, account=person.id, size=size)
    except ServiceError as failure:
        if failure.kind in _LATER:
            return None
        raise
    return _InMemory(picture)


def _small_room() -> Allowance:
    return Allowance(1024 * 1024)


class _InMemory:
    """A file that the decoder made."""

    def __init__(self, data: bytes) -> None:
        self.name: str | None = None
        self._data = data

    async def slices(self) -> AsyncIterator[bytes]:
        """Its bytes."""
        yield self._data
