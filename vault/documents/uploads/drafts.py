"""A paper that is being added: its pictures, kept as uploads, and what its owner said so far.

A draft is an upload without a byte of its own, whose sealed row names its pictures in their order
and holds what was typed. It lives as long as its first picture: a day. So whatever ends in between
(a session, a battery) leaves what was received, for its owner alone.

Each change takes the vault's lock, and puts another row in the place of the one before: a crash
leaves the one or the other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.subjects import Person
from base.errors import invalid
from base.ids import new_id
from base.key_names import UPLOAD
from base.locks import hold_vault
from vault.decoding.media import MediaType
from vault.document_view import DocumentMetadata
from vault.documents.deposit_commit import Deposited
from vault.documents.uploads import records
from vault.documents.uploads.deposit import deposit_uploads
from vault.documents.uploads.uploads import add_row, unknown
from vault.documents.uploads.whole_files import drop
from vault.services import Services


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or a file of a draft. `preview`: the upload that holds a small picture of it, or
    None where none could be made yet."""

    id: UUID
    preview: UUID | None
    media_type: str
    size: int

    @property
    def is_pdf(self) -> bool:
        """Whether it is a file with pages of its own."""
        return self.media_type == MediaType.PDF.value

    def uploads(self) -> list[UUID]:
        """What it consists of."""
        return [self.id] if self.preview is None else [self.id, self.preview]


@dataclass(frozen=True, slots=True)
class Draft:
    """A paper that is being added. `values`: what was typed, by the names of a form."""

    id: UUID
    expires_at: datetime | None = None
    pictures: tuple[Picture, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """Bytes of its pictures."""
        return sum(picture.size for picture in self.pictures)

    @property
    def mixed(self) -> bool:
        """Whether it has both a PDF and a photo, which may be two papers."""
        return len({picture.is_pdf for picture in self.pictures}) > 1

    def saying(self, **values: str) -> "Draft":
        """The same with these values."""
        return replace(self, values={**self.values, **values})

    def find(self, picture_id: UUID) -> Picture | None:
        """One of its pictures, or None."""
        return next((one for one in self.pictures if one.id == picture_id), None)


Change = Callable[[Draft], Draft]


def joined(draft: Draft, pictures: Sequence[Picture]) -> Draft:
    """The draft with more pictures; each once."""
    new = [one for one in pictures if draft.find(one.id) is None]
    return replace(draft, pictures=(*draft.pictures, *new))


async def begin(
    services: Services, person: Person, pictures: Sequence[Picture], values: Mapping[str, str]
) -> Draft:
    """A draft of pictures that were just received; or the one that has them already: a form that
    names uploads is sent again when its answer was lost."""
    async with services.database.transaction() as tx:
        await hold_vault(tx, person.id)
        begun = await _having(services, tx, person, pictures)
        if begun is None:
            draft = Draft(new_id(), None, tuple(pictures), dict(values))
            return await _put(services, tx, person, draft, expires_at=None)
    again = {up for one in pictures for up in one.uploads()}
    await drop(services, person.id, again.difference(*(one.uploads() for one in begun.pictures)))
    return begun


async def _having(
    services: Services, tx: AsyncConnection, person: Person, pictures: Sequence[Picture]
) -> Draft | None:
    """The draft of the person that has one of these pictures, if there is one."""
    for row in await records.empty_uploads(tx, person.id):
        draft = await _open(services, tx, person, row)
        if draft is not None and any(draft.find(one.id) for one in pictures):
            return draft
    return None


async def see(services: Services, person: Person, draft_id: UUID) -> Draft:
    """A draft of the person. Raises `not_found`, recorded."""
    async with services.database.transaction() as tx:
        draft = await _find(services, tx, person, draft_id)
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
        rows = await records.empty_uploads(tx, person.id)
        drafts = [await _open(services, tx, person, row) for row in rows]
    return [draft for draft in drafts if draft is not None and draft.pictures]


async def change(services: Services, person: Person, draft_id: UUID, how: Change) -> Draft:
    """Change a draft; the pictures that it then has no more are deleted. Raises `not_found`,
    recorded."""
    async with services.database.transaction() as tx:
        await hold_vault(tx, person.id)
        before = await _find(services, tx, person, draft_id)
        if before is not None:
            after = how(before)
            await records.delete_upload(tx, person.id, draft_id)
            after = await _put(services, tx, person, after, expires_at=before.expires_at)
    if before is None:
        raise await unknown(services, person)
    # After the commit: a crash before this leaves uploads that go within a day.
    await drop(services, person.id, _gone(before, after.pictures))
    return after


async def discard(services: Services, person: Person, draft_id: UUID) -> None:
    """Delete a draft and its pictures. Raises `not_found`, recorded."""
    draft = await see(services, person, draft_id)
    await drop(services, person.id, [*_gone(draft, ()), draft.id])


async def keep(
    services: Services, person: Person, draft: Draft, metadata: DocumentMetadata
) -> Deposited:
    """Make a document of a draft, which is then gone; one that is refused leaves it. Raises
    `file_missing` and what a deposit raises."""
    if not draft.pictures:
        raise invalid("file_missing", fields=[("file",)])
    pictures = [picture.id for picture in draft.pictures]
    deposited = await deposit_uploads(services, person, pictures, lambda _: metadata)
    # The pictures went with the commit: a crash before this leaves a draft without any, which is
    # not shown, and goes within a day.
    await drop(services, person.id, [*_gone(draft, ()), draft.id])
    return deposited


def _gone(before: Draft, kept: Iterable[Picture]) -> list[UUID]:
    """The uploads that are of no use any more."""
    left = {upload for picture in kept for upload in picture.uploads()}
    used = [upload for picture in before.pictures for upload in picture.uploads()]
    return [upload for upload in used if upload not in left]


async def _find(
    services: Services, tx: AsyncConnection, person: Person, draft_id: UUID
) -> Draft | None:
    row = await records.upload(tx, person.id, draft_id)
    return None if row is None else await _open(services, tx, person, row)


async def _open(
    services: Services, tx: AsyncConnection, person: Person, row: Row[Any]
) -> Draft | None:
    """A draft with the pictures that are still there; None for an upload that is none."""
    (await services.field_encryption.row_macs()).check(records.UPLOAD_ROW, row)
    reader = await services.field_encryption.reader(person.id, tx)
    said = reader.open(UPLOAD, row.id, row.sealed).get("draft")
    if said is None:
        return None
    pictures = [
        Picture(UUID(one["id"]), _id(one["preview"]), one["media_type"], one["size"])
        for one in said["pictures"]
    ]
    there = [one for one in pictures if await records.upload(tx, person.id, one.id) is not None]
    return Draft(row.id, row.expires_at, tuple(there), said["values"])


async def _put(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    draft: Draft,
    *,
    expires_at: datetime | None,
) -> Draft:
    said = {
        "metadata": "",
        "draft": {
            "pictures": [
                {
                    "id": str(one.id),
                    "preview": None if one.preview is None else str(one.preview),
                    "media_type": one.media_type,
                    "size": one.size,
                }
                for one in draft.pictures
            ],
            "values": dict(draft.values),
        },
    }
    row = await add_row(
        services, tx, person.id, draft.id, length=0, said=said, expires_at=expires_at
    )
    return replace(draft, expires_at=row["expires_at"])


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
