"""What goes into an export: each paper with its files, and where each file stands in the zip.

It is made once, from the papers that were there when the export was asked for, and sealed in its
row: a title that changes meanwhile changes no path, so that an attempt goes on where another ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from base.clock import rfc3339
from base.key_names import DOCUMENT, DOCUMENT_VERSION, ORIGINAL, RENDITION
from storage.field_encryption import DecryptionError, FieldReader
from storage.row_macs import RowAltered
from vault.catalogue.document_types import by_code
from vault.document_view import may_give_original
from vault.exports import records
from vault.exports.zip_format import safe_part
from vault.services import Services
from vault.tables import check_documents

PAPERS = "papiers"
TRASH = "corbeille"
_EXTENSIONS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/tiff": "tif",
}
_SAID = ("title", "issued_on", "expires_on", "due_on", "income_year", "paper_location", "sensitive")


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file of a paper, and its path in the zip."""

    path: str
    version: UUID
    role: str
    position: int


async def plan(
    services: Services, person_id: UUID, document_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """The papers, as `documents.json` tells of them; of one that is gone, or whose row is not as
    the service wrote it, only that."""
    reader = await services.field_encryption.reader(person_id)
    papers = []
    for number, one in enumerate(document_ids, 1):
        try:
            papers.append(await _paper(services, reader, person_id, number, UUID(one)))
        except (RowAltered, DecryptionError):
            # Of a row that somebody altered nothing is believed; the other papers go.
            papers.append({"id": one, "unreadable": True})
    return papers


def planned_files(papers: Sequence[Mapping[str, Any]]) -> Iterator[PlannedFile]:
    """The files of all papers, in the order of the zip."""
    for paper in papers:
        for version in paper.get("versions", ()):
            for file in version["files"]:
                yield PlannedFile(file["path"], UUID(version["id"]), file["kind"], file["position"])


def papers_until(path: str) -> int | None:
    """How many papers were begun where this file is the last one; None for a file that comes after
    all of them."""
    top, _, rest = path.partition("/")
    number = rest.partition(" ")[0].partition("/")[0]
    return int(number) if top in (PAPERS, TRASH) and number.isdecimal() else None


async def _paper(
    services: Services, reader: FieldReader, person_id: UUID, number: int, document_id: UUID
) -> dict[str, Any]:
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.versions_of(tx, person_id, document_id)
        files = {row.v_id: await records.files_of(tx, person_id, row.v_id) for row in rows}
    if not rows:
        return {"id": str(document_id), "gone": True}
    check_documents(macs, rows)
    row = rows[0]
    said = reader.open(DOCUMENT, row.id, row.sealed)
    folder = _folder(number, said, in_trash=row.deleted_at is not None)
    versions = []
    for one in rows:
        current = one.v_id == row.version_id
        where = folder if current else f"{folder}/versions/{one.v_number}"
        values = reader.open(DOCUMENT_VERSION, one.v_id, one.v_sealed)
        original = said.get("given_original") == str(one.v_id) and may_give_original(values)
        found = _files(where, values, files[one.v_id], given=current and not original)
        versions.append(
            {
                "id": str(one.v_id),
                "number": one.v_number,
                "current": current,
                "created_at": rfc3339(one.v_created_at),
                "files": found,
            }
        )
    return {
        "id": str(row.id),
        "type": said["type"],
        "folder": folder,
        "in_trash": row.deleted_at is not None,
        "deposited_by": said["deposited_by"],
        "created_at": rfc3339(row.created_at),
        **{name: said[name] for name in _SAID if said.get(name)},
        "versions": versions,
    }


def _folder(number: int, said: Mapping[str, Any], *, in_trash: bool) -> str:
    kind = by_code(said["type"])
    name = said["title"] or (said["type"] if kind is None else kind.easy_names.fr)
    return f"{TRASH if in_trash else PAPERS}/{number:03} {safe_part(name)}".rstrip()


def _files(
    where: str, values: Mapping[str, Any], rows: Sequence[Any], *, given: bool
) -> list[dict[str, Any]]:
    """The originals of a version; `given`: and the copy that recipients get, where it is
    another."""
    found = []
    for row in rows:
        if row.role == ORIGINAL and row.position < len(values["parts"]):
            part = values["parts"][row.position]
            path = f"{where}/original-{row.position + 1}.{_extension(part['media_type'])}"
            named = {"file_name": part["file_name"]} if part["file_name"] else {}
            told = {"media_type": part["media_type"], **named}
        elif row.role == RENDITION and given:
            media_type = str(values["rendition_media_type"])
            path, told = f"{where}/donné.{_extension(media_type)}", {"media_type": media_type}
        else:
            continue
        found.append({"path": path, "kind": row.role, "position": row.position, **told})
    return found


def _extension(media_type: str) -> str:
    return _EXTENSIONS.get(media_type, "bin")
