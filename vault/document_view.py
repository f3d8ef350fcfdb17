"""A document as use cases return it: its opened rows, without anything of HTTP."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from vault.decoding.media import Carries, Note, SignatureState

# Said of the cleaned copy, and not true of a signed PDF that is given as it was signed.
_OF_THE_COPY = frozenset(
    {Note.PDF_DETAILS_REMOVED, Note.PDF_SIGNATURE_LOST, Note.PDF_TRAILING_DATA_REMOVED}
)


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    """What the depositor states about a document. `due_on`: the day by which its holder has to
    answer, pay, use it or come; `income_year`: of a tax paper, the year it speaks of. `sensitive`:
    its owner says that it is covered by a grant only if they picked it, whatever its type.
    `given_original`: the version whose signed PDF its owner gives as it was signed."""

    type: str
    title: str | None = field(default=None, repr=False)
    issued_on: date | None = None
    expires_on: date | None = None
    due_on: date | None = None
    income_year: int | None = None
    paper_location: str | None = field(default=None, repr=False)
    sensitive: bool = field(default=False, repr=False)
    given_original: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSuggestion:
    """What a worker says that a paper of unknown type is, and what stands on it: a proposal, which
    changes nothing. `by`: who they are; `version_id`: what they saw; `refused`: its owner said no,
    which its author does not learn."""

    id: UUID
    grant_id: UUID
    version_id: UUID
    by: dict[str, str] = field(repr=False)
    suggested_at: datetime
    type: str
    title: str | None = field(default=None, repr=False)
    issued_on: date | None = None
    expires_on: date | None = None
    due_on: date | None = None
    income_year: int | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document and its current version, opened."""

    id: UUID
    revision: UUID
    version_id: UUID
    version: int
    metadata: DocumentMetadata
    deposited_by: dict[str, str] = field(repr=False)
    created_at: datetime
    version_created_at: datetime
    deleted_at: datetime | None
    file: dict[str, Any] = field(repr=False)
    scan: str
    has_preview: bool
    has_thumbnail: bool
    altered: bool = False
    suggestions: tuple[TypeSuggestion, ...] = field(default=(), repr=False)

    @property
    def waiting_suggestions(self) -> list[TypeSuggestion]:
        """What its owner has not answered, of the content that is there now."""
        return [
            one for one in self.suggestions if not one.refused and one.version_id == self.version_id
        ]

    @property
    def verified(self) -> bool:
        """Whether an administration deposited it and its owner has not changed it."""
        return is_verified(self.deposited_by, self.version, altered=self.altered)

    @property
    def may_give_original(self) -> bool:
        """Whether its owner may choose so."""
        return may_give_original(self.file)

    @property
    def notes(self) -> list[str]:
        """What is told of the file: nothing of a cleaned copy while the original is given."""
        notes: list[str] = self.file["notes"]
        return [note for note in notes if not (self.gives_original and note in _OF_THE_COPY)]

    @property
    def own_media_type(self) -> str:
        """Of the file that its owner gets: what they put in, or the PDF of several photos."""
        parts = self.file["parts"]
        alone = len(parts) == 1
        return str(parts[0]["media_type"] if alone else self.file["rendition_media_type"])

    @property
    def given_media_type(self) -> str:
        """Of the file that recipients get."""
        return str(self.file["media_type" if self.gives_original else "rendition_media_type"])

    @property
    def given_size(self) -> int:
        """How many bytes recipients get."""
        return int(self.file["size" if self.gives_original else "rendition_size"])

    @property
    def gives_original(self) -> bool:
        """Whether recipients get this version's signed PDF as it was signed."""
        return self.metadata.given_original == self.version_id and may_give_original(self.file)


def is_verified(deposited_by: dict[str, str], version: int, *, altered: bool) -> bool:
    """A document that an administration deposited counts as verified until its owner changes its
    type, a date or its content (only the owner adds versions). Deposits of anyone else do not."""
    return deposited_by.get("kind") == "client" and version == 1 and not altered


def may_give_original(file: dict[str, Any]) -> bool:
    """Whether the owner of a version, whose sealed row holds `file`, may give its signed PDF as it
    was signed.

    Its signatures are whole, and nothing active, attached, external or earlier is in it.
    """
    states = {signature["state"] for signature in file.get("signatures", ())}
    return (
        len(file["parts"]) == 1
        and states == {SignatureState.WHOLE}
        and set(file["carries"]) <= {Carries.DETAILS}
    )


def metadata_values(
    metadata: DocumentMetadata,
    deposited_by: dict[str, str],
    *,
    altered: bool = False,
    suggestions: Sequence[TypeSuggestion] = (),
) -> dict[str, Any]:
    """The JSON values sealed in a document's row. `altered`: the owner has changed its type or
    dates since the deposit."""
    return {
        **({"suggestions": [_suggested(one) for one in suggestions]} if suggestions else {}),
        **({"altered": True} if altered else {}),
        **({"sensitive": True} if metadata.sensitive else {}),
        **({"given_original": str(metadata.given_original)} if metadata.given_original else {}),
        **({"due_on": metadata.due_on.isoformat()} if metadata.due_on else {}),
        **({"income_year": metadata.income_year} if metadata.income_year else {}),
        "type": metadata.type,
        "title": metadata.title,
        "issued_on": metadata.issued_on and metadata.issued_on.isoformat(),
        "expires_on": metadata.expires_on and metadata.expires_on.isoformat(),
        "paper_location": metadata.paper_location,
        "deposited_by": deposited_by,
    }


def _suggested(suggestion: TypeSuggestion) -> dict[str, Any]:
    """A suggestion as JSON values, without those that it lacks."""
    values = {**asdict(suggestion), "suggested_at": suggestion.suggested_at.isoformat()}
    return {
        name: str(value) if isinstance(value, UUID | date) else value
        for name, value in values.items()
        if value not in (None, False)
    }


def suggestion_of(values: dict[str, Any]) -> TypeSuggestion:
    """The same, read back."""
    read: dict[str, Any] = dict(values)
    for name in ("id", "grant_id", "version_id"):
        read[name] = UUID(values[name])
    for name in {"issued_on", "expires_on", "due_on"} & values.keys():
        read[name] = date.fromisoformat(values[name])
    read["suggested_at"] = datetime.fromisoformat(values["suggested_at"])
    return TypeSuggestion(**read)


def metadata_key(metadata: DocumentMetadata) -> bytes:
    """The metadata as bytes; equal metadata gives equal bytes."""
    return json.dumps(metadata_values(metadata, {}), sort_keys=True).encode()


def view_of(
    row: Row[Any],
    metadata: DocumentMetadata,
    *,
    deposited_by: dict[str, str],
    file: dict[str, Any],
    altered: bool = False,
    suggestions: tuple[TypeSuggestion, ...] = (),
) -> DocumentView:
    """The view of a joined row of `vault.documents.records`, from values that are open already."""
    return DocumentView(
        id=row.id,
        revision=row.revision,
        version_id=row.v_id,
        version=row.v_number,
        metadata=metadata,
        deposited_by=deposited_by,
        created_at=row.created_at,
        version_created_at=row.v_created_at,
        deleted_at=row.deleted_at,
        file=file,
        scan=row.v_scan,
        has_preview=row.has_preview,
        has_thumbnail=row.has_thumbnail,
        altered=altered,
        suggestions=suggestions,
    )
