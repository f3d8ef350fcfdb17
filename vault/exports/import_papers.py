"""The papers that an export tells of, as another installation takes them in: by an untrusted hand,
so that whatever is not what we would have written ourselves is left out or refused.

Only what is current comes in. What lies in the trash there, and versions before, stay in the file.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

from base.dates import iso_date
from base.errors import ServiceError
from base.user_text import clean_file_name, clean_text, clean_title
from vault.catalogue.document_types import by_code, is_retired, successors
from vault.document_view import DocumentMetadata
from vault.exports.zip_reader import ZipReader

PATH = "documents.json"
MAX_DOCUMENTS = 24 * 1024 * 1024
"""Bytes of what is said of all papers."""
MAX_PAPERS = 20_000
OTHER = "other"
_ORIGINAL = "original"
_TITLE, _PLACE = 200, 200
_YEARS = range(1990, 2101)
T = TypeVar("T")


class NotPapers(Exception):
    """Nothing that we know how to read."""


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file of a paper: its path in the zip, and the name that it had."""

    path: str
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportedPaper:
    """A paper that is to come in; `named`: what its person is told of it by. Without files: one
    that could not be read where it comes from."""

    named: str = field(repr=False)
    metadata: DocumentMetadata
    files: tuple[ImportedFile, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Papers:
    """All of them. `left`: how many stay in the file, since they were thrown away there.
    `language`: in which the export speaks, if it says so."""

    papers: tuple[ImportedPaper, ...]
    left: int
    language: str = ""


def papers_in(zipped: ZipReader) -> Papers:
    """What is told of the papers of a zip. Raises `NotPapers`, `NotOurs`."""
    paths = [entry.path for entry in zipped.entries]
    return read_papers(zipped.read_small(PATH, MAX_DOCUMENTS), paths)


def read_papers(raw: bytes, paths: Collection[str]) -> Papers:
    """What `documents.json` tells, of the files at these paths. Raises `NotPapers`."""
    try:
        said = json.loads(raw)
        listed = said["papers"]
        language = said.get("language")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise NotPapers from None
    if not isinstance(listed, list) or len(listed) > MAX_PAPERS:
        raise NotPapers
    unread = set(paths)
    papers = [_paper(one, number, unread) for number, one in enumerate(listed, 1)]
    there = tuple(one for one in papers if one is not None)
    known = isinstance(language, str) and len(language) <= 8
    return Papers(there, len(papers) - len(there), language if known else "")


def _paper(said: Any, number: int, unread: set[str]) -> ImportedPaper | None:
    """None of one that was in the trash, or is gone. A file belongs to one paper alone."""
    if not isinstance(said, Mapping) or said.get("gone") is True or said.get("in_trash") is True:
        return None
    files = []
    for path, name in _files(said):
        if path in unread:
            unread.discard(path)
            files.append(ImportedFile(path, name))
        else:  # of a paper of several pages, none comes in without another
            files = []
            break
    metadata = _metadata(said)
    return ImportedPaper(metadata.title or f"{number:03}", metadata, tuple(files))


def _files(said: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """The originals of the current version, in order; nothing of one that is not told as we do."""
    try:
        current = [one for one in said["versions"] if one["current"] is True]
        originals = [one for one in current[-1]["files"] if one["kind"] == _ORIGINAL]
        for one in sorted(originals, key=lambda file: int(file["position"])):
            name = one.get("file_name")
            yield str(one["path"]), clean_file_name(name) if isinstance(name, str) else None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return


def _metadata(said: Mapping[str, Any]) -> DocumentMetadata:
    """What was said of it, where we could say it too; a type that we do not know is another paper,
    and sensitive, since nobody here knows what it is."""
    code, known = _type(said.get("type"))
    issued_on, expires_on = _day(said.get("issued_on")), _day(said.get("expires_on"))
    if issued_on is not None and expires_on is not None and expires_on < issued_on:
        issued_on = expires_on = None
    metadata = DocumentMetadata(
        type=code,
        title=_text(said.get("title"), clean_title, _TITLE),
        issued_on=issued_on,
        expires_on=expires_on,
        due_on=_day(said.get("due_on")),
        paper_location=_text(
            said.get("paper_location"), lambda text: clean_text(text, _PLACE), _PLACE
        ),
        sensitive=not known or said.get("sensitive") is True,
    )
    year = said.get("income_year")
    return replace(metadata, income_year=year) if type(year) is int and year in _YEARS else metadata


def _type(code: Any) -> tuple[str, bool]:
    """The type here, and whether it is the one that was said."""
    if not isinstance(code, str) or by_code(code) is None:
        return OTHER, False
    if not is_retired(code):
        return code, True
    after = successors(code)
    return (after[0], True) if len(after) == 1 else (OTHER, False)


def _day(value: Any) -> date | None:
    try:
        return iso_date(value)
    except (ValueError, TypeError):
        return None


def _text(value: Any, clean: Callable[[str], T | None], limit: int) -> T | None:
    """What somebody wrote; cut where it is longer than anybody could write here."""
    if not isinstance(value, str):
        return None
    for text in (value[: 4 * limit], value[: limit // 2]):
        try:
            return clean(text)
        except ServiceError:
            continue
    return None
