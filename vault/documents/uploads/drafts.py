"""A paper that is being added: its pictures, kept as uploads, and what its owner said so far.

It lives for a day, and its pictures as long as it does. So whatever ends in between (a session, a
battery) leaves what was received, for its owner alone. A picture enters its draft in the commit
that keeps it: no picture is there that no draft names.

Each change takes the vault's lock: a crash leaves the draft of before or of after.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.living_vaults import hold_living_vault
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from vault.document_view import DocumentMetadata, DocumentView
from vault.documents.deposit_commit import Deposited
from vault.documents.uploads import draft_rows, records
from vault.documents.uploads.deposit import (
    add_version_of_uploads,
    deposit_uploads,
    find_deposited,
)
from vault.documents.uploads.draft_rows import Draft, Ended, Picture
from vault.documents.uploads.upload_rows import end_as_begun
from vault.documents.uploads.uploads import unknown
from vault.documents.uploads.whole_files import drop
from vault.services import Services

MAX_PICTURES = 200
"""Of all the papers that one person is adding at once."""
_MAX_ROWS = 500

Change = Callable[[Draft], Draft]


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture, and the draft that it is in."""

    draft: Draft
    picture: Picture

    @property
    def expires_at(self) -> datetime | None:
        """When both do."""
        return self.draft.expires_at


async def see(services: Services, person: Person, draft_id: UUID) -> Draft:
    """A draft of the person that did not end. Raises `not_found`, recorded."""
    draft = await see_any(services, person, draft_id)
    if draft.ended is not None:
        raise await unknown(services, person)
    return draft


async def see_any(services: Services, person: Person, draft_id: UUID) -> Draft:
    """A draft of the person, also one that ended lately. Raises `not_found`, recorded."""
    async with services.database.transaction() as tx:
        draft = await draft_rows.find(services, tx, person.id, draft_id)
    if draft is None:
        raise await unknown(services, person)
    return draft


async def see_picture(
    services: Services, person: Person, draft_id: UUID, picture_id: UUID
) -> tuple[Draft, Picture]:
    """A draft of the person, and one of its pictures. Raises `not_found`, recorded."""
    draft = await see(services, person, draft_id)
    picture = draft.find(picture_id)
    if picture is None:
        raise await unknown(services, person)
    return draft, picture


async def all_of(services: Services, person: Person) -> list[Draft]:
    """The drafts of the person that have a picture, newest first."""
    async with services.database.transaction() as tx:
        drafts = await draft_rows.all_of(services, tx, person.id)
    return [draft for draft in drafts if draft.pictures]


async def attach(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    draft: Draft | None,
    values: Mapping[str, str],
    picture: Picture,
) -> Attached:
    """Put a picture into a draft, in the commit that keeps it; into a new one, with these values,
    where there is none or where it ended meanwhile; or find the one that has it already: a form
    that names uploads is sent again when its answer was lost. The vault is locked. Raises
    `too_many_pictures`."""
    held = await draft_rows.all_of(services, tx, person.id)
    for one in held:
        if (there := one.find(picture.id)) and not one.ended:
            return Attached(one, there)
    if sum(len(one.pictures) for one in held) >= MAX_PICTURES or len(held) >= _MAX_ROWS:
        raise ServiceError(ErrorKind.CONFLICT, "too_many_pictures", limit=MAX_PICTURES)
    found = next((one for one in held if draft and one.id == draft.id and not one.ended), None)
    into = found or Draft(new_id(), values=dict(values))
    until = into.expires_at if into.pictures else None
    into = replace(into, pictures=(*into.pictures, picture), expires_at=until)
    return Attached(await draft_rows.put(services, tx, person.id, into), picture)


async def set_preview(
    services: Services, tx: AsyncConnection, person: Person, draft_id: UUID, picture: Picture
) -> Draft:
    """Note the small picture of a picture, in the commit that keeps it. The vault is locked. Raises
    `not_found` where the picture is gone meanwhile."""
    found = await draft_rows.find(services, tx, person.id, draft_id)
    if found is None or found.find(picture.id) is None:
        raise not_found()
    pictures = tuple(picture if one.id == picture.id else one for one in found.pictures)
    return await draft_rows.put(services, tx, person.id, replace(found, pictures=pictures))


async def detach(
    services: Services,
    person: Person,
    pictures: Iterable[Picture],
    *,
    of: UUID | None,
    spare: Collection[UUID] = (),
) -> None:
    """Take out pictures that are of no use, and a draft that was begun with them alone; delete
    their uploads but for those to `spare`, which end when they would have. `of`: the draft that was
    there before, which stays."""
    uploads = [upload for picture in pictures for upload in picture.uploads()]
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        for draft in await draft_rows.all_of(services, tx, person.id):
            left = draft.without(uploads)
            if len(left.pictures) == len(draft.pictures):
                continue
            if left.pictures or draft.id == of:
                await draft_rows.put(services, tx, person.id, left)
            else:
                await records.delete_upload(tx, person.id, draft.id)
        for upload in set(uploads) & set(spare):
            await end_as_begun(services, tx, person.id, upload)
    await drop(services, person.id, [upload for upload in uploads if upload not in spare])


async def change(services: Services, person: Person, draft_id: UUID, how: Change) -> Draft:
    """Change a draft; the pictures that it then has no more are deleted. Raises `not_found`,
    recorded."""
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        before = await draft_rows.find(services, tx, person.id, draft_id)
        if before is not None and before.ended is None:
            after = await draft_rows.put(services, tx, person.id, how(before))
    if before is None or before.ended is not None:
        raise await unknown(services, person)
    # After the commit: a crash before this leaves uploads that go within a day.
    await drop(services, person.id, _not_in(before, after.pictures))
    return after


async def discard(services: Services, person: Person, draft_id: UUID) -> None:
    """Drop a draft with its pictures. Raises `not_found`, recorded."""

    def dropped(draft: Draft) -> Draft:
        return replace(draft, pictures=(), gone=(), values={}, ended=Ended(None))

    await change(services, person, draft_id, dropped)


async def keep(
    services: Services, person: Person, draft: Draft, metadata: DocumentMetadata
) -> Deposited:
    """Make a document of a draft, which then only leads to it; one that is refused stays. Raises
    `file_missing`, `pictures_gone` and what a deposit raises."""
    if draft.gone:
        view = await _kept_before(services, person, draft)
        deposited = Deposited(view, already_held=True)
    else:
        pictures = pictures_of(draft)
        deposited = await deposit_uploads(services, person, pictures, lambda _: metadata)
    # The pictures went with the commit: a crash before this leaves a draft that names pictures of
    # a document, and that leads to it.
    ended = Ended(deposited.document.id, deposited.already_held)
    await end(services, person, draft.id, draft.gone or draft.pictures, ended)
    return deposited


async def keep_version(
    services: Services,
    person: Person,
    draft: Draft,
    document_id: UUID,
    dates: Mapping[str, Any],
) -> DocumentView:
    """Make a newer version of a document of a draft, with these dates; one that is refused stays.
    Raises as `keep`."""
    if draft.gone:
        view = await _kept_before(services, person, draft, version_of=document_id)
    else:
        view = await add_version_of_uploads(
            services, person, document_id, pictures_of(draft), if_match=None, dates=lambda: dates
        )
    # A crash before this leaves a draft as one before the end of `keep` does.
    await end(services, person, draft.id, draft.gone or draft.pictures, Ended(document_id))
    return view


def pictures_of(draft: Draft) -> list[UUID]:
    """The uploads that a document is made of. Raises `file_missing`."""
    if not draft.pictures:
        raise invalid("file_missing", fields=[("file",)])
    return [picture.id for picture in draft.pictures]


async def end(
    services: Services, person: Person, draft_id: UUID, used: Iterable[Picture], ended: Ended
) -> None:
    """Note what a draft became, by the pictures that were used. One that came to it meanwhile
    stays, in a draft of its own that is to be gone on with."""
    uploads = [upload for picture in used for upload in picture.uploads()]
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        found = await draft_rows.find(services, tx, person.id, draft_id)
        if found is not None:
            left = replace(found.without(uploads), gone=())
            after = left if left.pictures else replace(left, ended=ended)
            await draft_rows.put(services, tx, person.id, after)
    await drop(services, person.id, uploads)


async def _kept_before(
    services: Services, person: Person, draft: Draft, *, version_of: UUID | None = None
) -> DocumentView:
    """The document that the gone pictures of a draft became, or of which they are a version. Raises
    `pictures_gone` if they are gone without: once, then the others are what the paper consists
    of."""
    named = [picture.id for picture in draft.gone]
    view = await find_deposited(services, person, named, version_of=version_of)
    if view is None:
        await _refuse_gone(services, person, draft)
    return view


async def _refuse_gone(services: Services, person: Person, draft: Draft) -> NoReturn:
    await change(services, person, draft.id, lambda found: replace(found, gone=()))
    count, left = len(draft.gone), len(draft.pictures)
    raise invalid("pictures_gone", fields=[("file",)], count=count, left=left)


def _not_in(before: Draft, kept: Iterable[Picture]) -> list[UUID]:
    """The uploads of a draft that are of no use any more."""
    left = {upload for picture in kept for upload in picture.uploads()}
    used = [up for picture in (*before.pictures, *before.gone) for up in picture.uploads()]
    return [upload for upload in used if upload not in left]
