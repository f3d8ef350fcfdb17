"""What an agent reads on an identity paper: a keyed tag of who somebody is, the kind of the paper
and the last four signs of its number. Neither a picture nor a name nor a birth date is kept.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

from auth import anchors
from auth.anchor_rules import TypedAnchor, end_written
from auth.services import CoreServices
from base.errors import about, invalid

DocumentKind = Literal["id_card", "passport", "residence_permit", "asylum", "driving", "other"]
KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """What an agent typed of the paper in front of them."""

    kind: str
    anchor: TypedAnchor = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeenTag:
    """What is kept of it: `end`, of its number; `tag`, as an anchor's."""

    kind: str
    end: str = field(repr=False)
    tag: bytes = field(repr=False)


async def seen(services: CoreServices, document: SeenDocument | SeenTag) -> SeenTag:
    """What is kept of a paper; itself, where it was made before. Raises `ServiceError` INVALID
    `document_kind`, and as `auth.anchor_rules.written`."""
    if isinstance(document, SeenTag):
        return document
    with about("document"):
        if document.kind not in KINDS:
            raise invalid("document_kind", fields=(("kind",),))
        tag = await anchors.tag_of(services, document.anchor)
    return SeenTag(document.kind, end_written(document.anchor.document_end), tag)
