"""Document types, purposes and legal bases: data in JSON, read once and checked. Pure."""

from vault.catalogue.document_types import (
    EDITION,
    DocumentType,
    Family,
    SensitiveKind,
    by_code,
    document_types,
    families,
    is_sensitive,
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
    "DocumentType",
    "Family",
    "LegalBasis",
    "Names",
    "Purpose",
    "SensitiveKind",
    "by_code",
    "document_types",
    "families",
    "is_sensitive",
    "legal_bases",
    "legal_basis_by_code",
    "purpose_by_code",
    "purposes",
]
