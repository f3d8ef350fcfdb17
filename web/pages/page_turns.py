"""Which page of a paper a viewer shows, and how many there are."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator

from base.errors import not_found
from vault.decoding.media import MediaType
from vault.document_view import DocumentView

_NUMBER = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


def read_number(value: object) -> int:
    """The number of a page, or `not_found`."""
    if not _NUMBER.fullmatch(str(value)):
        raise not_found()
    return int(str(value))


PageWanted = Annotated[str, Query(alias="page")]
"""Of the address of a viewer: nothing, or the number of a page."""
PageNumber = Annotated[int, BeforeValidator(read_number)]
"""Of a path."""


@dataclass(frozen=True, slots=True)
class PageTurn:
    """Page `number` of `count`. `chosen`: it was asked for by its number, so that the picture is of
    that page, and the reading goes on; else it is the first look at the paper."""

    number: int
    count: int
    chosen: bool


def turn_to(document: DocumentView, wanted: str) -> PageTurn | None:
    """The page of a PDF that is wanted; None for a paper of one page. Raises `not_found` for one
    that is not there."""
    pages = int(document.file.get("pages", 1))
    count = pages if document.file["rendition_media_type"] == MediaType.PDF else 1
    if not wanted:
        return PageTurn(1, count, chosen=False) if count > 1 else None
    number = read_number(wanted)
    if number > count:
        raise not_found()
    return PageTurn(number, count, chosen=True) if count > 1 else None
