"""The row of a paper that is being added: an upload without a byte, whose sealed value names its
pictures in their order and holds what was typed.

Each change puts another row in the place of the one before, under the vault's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base.db_time import instant
from base.key_names import UPLOAD
from vault.decoding.media import MediaType
from vault.documents.uploads import records
from vault.documents.uploads.upload_rows import insert
from vault.services import Services

_EMPTY_LIFE = timedelta(hours=1)
"""Of a draft that ended, which still leads a second tap on, and of one without pictures."""


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
class Ended:
    """How a draft ended: the document that it became, None if it was dropped; `already_held`: that
    was there before."""

    document_id: UUID | None
    already_held: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A paper that is being added. `values`: what was typed, by the names of a form; `gone`: the
    pictures that it names and that are not there any more."""

    id: UUID
    expires_at: datetime | None = None
    pictures: tuple[Picture, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    gone: tuple[Picture, ...] = ()
    ended: Ended | None = None

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

    def without(self, pictures: Sequence[UUID]) -> "Draft":
        """The same without some of its pictures."""
        return replace(self, pictures=tuple(one for one in self.pictures if one.id not in pictures))


async def find(
    services: Services, tx: AsyncConnection, person_id: UUID, draft_id: UUID
) -> Draft | None:
    """A draft of the person, ended or not."""
    row = await records.upload(tx, person_id, draft_id)
    return None if row is None else await _opened(services, tx, row)


async def all_of(services: Services, tx: AsyncConnection, person_id: UUID) -> list[Draft]:
    """The drafts of the person, ended or not, newest first."""
    rows = await records.empty_uploads(tx, person_id)
    drafts = [await _opened(services, tx, row) for row in rows]
    return [draft for draft in drafts if draft is not None]


async def put(services: Services, tx: AsyncConnection, person_id: UUID, draft: Draft) -> Draft:
    """Store a draft, in the place of what it was before; a picture is in it once. The vault is
    locked."""
    draft = replace(draft, pictures=tuple({one.id: one for one in draft.pictures}.values()))
    expires_at = draft.expires_at
    if not draft.pictures:
        expires_at = await instant(tx) + _EMPTY_LIFE
    await records.delete_upload(tx, person_id, draft.id)
    row = await insert(
        services, tx, person_id, draft.id, length=0, said=_said(draft), expires_at=expires_at
    )
    return replace(draft, expires_at=row["expires_at"])


def _said(draft: Draft) -> dict[str, Any]:
    ended = draft.ended
    return {
        "metadata": "",
        "draft": {
            "pictures": [_picture_said(one) for one in (*draft.pictures, *draft.gone)],
            "values": dict(draft.values),
            "ended": None
            if ended is None
            else {"document": _text(ended.document_id), "held": ended.already_held},
        },
    }


def _picture_said(one: Picture) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "preview": _text(one.preview),
        "media_type": one.media_type,
        "size": one.size,
    }


async def _opened(services: Services, tx: AsyncConnection, row: Row[Any]) -> Draft | None:
    """A draft with the pictures that are still there; None for an upload that is none."""
    (await services.field_encryption.row_macs()).check(records.UPLOAD_ROW, row)
    reader = await services.field_encryption.reader(row.person_id, tx)
    said = reader.open(UPLOAD, row.id, row.sealed).get("draft")
    if said is None:
        return None
    named = [
        Picture(UUID(one["id"]), _id(one["preview"]), one["media_type"], one["size"])
        for one in said["pictures"]
    ]
    there = await records.there(tx, row.person_id, [one.id for one in named])
    ended = said.get("ended")
    return Draft(
        row.id,
        row.expires_at,
        tuple(one for one in named if one.id in there),
        said["values"],
        tuple(one for one in named if one.id not in there),
        ended and Ended(_id(ended["document"]), ended["held"]),
    )


def _text(one: UUID | None) -> str | None:
    return None if one is None else str(one)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
