"""Keyed tags of document types: equal for equal types of one person, different between people.

A paper that its owner calls sensitive has another tag than its type's. No grant names that tag, so
no grant by type covers the paper, and no column tells which papers are sensitive.
"""

from uuid import UUID

from auth.services import CoreServices
from base.key_names import DOCUMENT_TYPE

_SENSITIVE = "sensitive"


async def type_tag(
    services: CoreServices, person_id: UUID, code: str, *, sensitive: bool = False
) -> bytes:
    """The keyed tag of a document type in one person's vault; the one that grants name, unless
    `sensitive`."""
    mark = (_SENSITIVE,) if sensitive else ()
    return await services.field_encryption.tag(DOCUMENT_TYPE, person_id.bytes, code, *mark)


async def tags_of_type(services: CoreServices, person_id: UUID, code: str) -> tuple[bytes, bytes]:
    """The two tags of a type: of its papers, and of those that their owner calls sensitive."""
    return (
        await type_tag(services, person_id, code),
        await type_tag(services, person_id, code, sensitive=True),
    )
