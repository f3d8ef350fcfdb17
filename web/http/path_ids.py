"""Ids in paths: a malformed one is answered exactly like an unknown one (invariant 7)."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, WithJsonSchema

from base.errors import not_found
from base.ids import parse_id


def read_id(value: object) -> UUID:
    """The id, or `not_found`."""
    parsed = value if isinstance(value, UUID) else parse_id(str(value))
    if parsed is None:
        raise not_found()
    return parsed


PathId = Annotated[
    UUID, BeforeValidator(read_id), WithJsonSchema({"type": "string", "format": "uuid"})
]
