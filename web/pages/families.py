"""The families of papers, as pages show them: a pictogram each, and few types at a time."""

from dataclasses import dataclass

from vault import catalogue
from vault.catalogue import DocumentType, Names

AT_ONCE = 10
"""Types on one page."""
_PICTOGRAMS = {
    "identity": "id-card",
    "residence": "stay-permit",
    "family": "family",
    "home": "home",
    "income": "work",
    "taxes": "tax",
    "benefits": "benefits",
    "health": "health",
    "justice": "justice",
    "studies": "school",
    "bank": "bank",
    "other": "paper",
}


@dataclass(frozen=True, slots=True)
class PaperFamily:
    """A family, with the types that a new paper may have."""

    code: str
    names: Names
    pictogram: str
    types: tuple[DocumentType, ...]

    def shown_from(self, start: int) -> tuple[tuple[DocumentType, ...], int | None]:
        """The types from a position on, and the position of those that come after, if any."""
        after = start + AT_ONCE
        return self.types[start:after], after if after < len(self.types) else None


def paper_families() -> list[PaperFamily]:
    """All of them, in the order of the catalogue."""
    return [
        PaperFamily(
            family.code,
            family.names,
            _PICTOGRAMS.get(family.code, "paper"),
            tuple(one for one in catalogue.offered_types() if one.family == family.code),
        )
        for family in catalogue.families()
    ]


def paper_family(code: str) -> PaperFamily | None:
    """The one with that code, or None."""
    return next((family for family in paper_families() if family.code == code), None)


def family_of(type_code: str) -> str:
    """The code of a type's family; `other` for a type that this release does not know."""
    document_type = catalogue.by_code(type_code)
    return document_type.family if document_type else "other"
