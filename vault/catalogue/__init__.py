"""Document types, purposes and legal bases: data in JSON, read once and checked. Pure."""

from vault.catalogue.document_types import (
    EDITION,
    DateThatMatters,
    DocumentType,
    Family,
    Holder,
    SensitiveKind,
    Words,
    by_code,
    document_types,
    families,
    is_retired,
    is_sensitive,
    offered_types,
    successors,
)
from vault.catalogue.entries import CatalogueError, Names
from vault.catalogue.purposes import (
    GRANT_BASIS,
    LegalBasis,
    Purpose,
    legal_bases,
    legal_basis_by_code,
    purpose_by_code,
    purposes,
)

__all__ = [
    "EDITION",
    "GRANT_BASIS",
    "CatalogueError",
    "DateThatMatters",
    "DocumentType",
    "Family",
    "Holder",
    "LegalBasis",
    "Names",
    "Purpose",
    "SensitiveKind",
    "Words",
    "by_code",
    "document_types",
    "families",
    "is_retired",
    "is_sensitive",
    "legal_bases",
    "legal_basis_by_code",
    "offered_types",
    "purpose_by_code",
    "purposes",
    "successors",
]
