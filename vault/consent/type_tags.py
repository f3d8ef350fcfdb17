"""Keyed tags of document types: equal for equal types of one person, different between people."""

from collections.abc import Iterable
from uuid import UUID

from auth.services import CoreServices
from base.key_names import DOCUMENT_TYPE


async def type_tag(services: CoreServices, person_id: UUID, code: str) -> bytes:
    """The keyed tag of a document type in one person's vault."""
    return await services.field_encryption.tag(DOCUMENT_TYPE, person_id.bytes, code)


async def type_tags(
    services: CoreServices, person_id: UUID, codes: Iterable[str]
) -> dict[bytes, str]:
    """The type for each tag, for some types of one person."""
    return {await type_tag(services, person_id, code): code for code in codes}
