"""Purposes for which documents are requested, and the legal bases that a request may claim."""

from dataclasses import dataclass
from functools import cache

from vault.catalogue.entries import Names, load, names, read_all

GRANT_BASIS = "consent"
"""The basis of every grant, which the person gives. A request claims its own basis."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """A reason for a request, from a closed list; the requester adds a sentence of their own."""

    code: str
    names: Names


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A legal basis (GDPR, Article 6(1)) that a requester may claim, with a sentence about it.

    Three of the six: a contract, vital interests and legitimate interests are not grounds on
    which a social worker or an administration may request documents here.
    """

    code: str
    article: str
    names: Names
    sentences: Names


@cache
def purposes() -> tuple[Purpose, ...]:
    """Every purpose, in the order in which forms show them."""
    return read_all(load("purposes.json"), lambda raw: Purpose(raw["code"], names(raw["names"])))


@cache
def legal_bases() -> tuple[LegalBasis, ...]:
    """Every basis that a request may claim."""
    return read_all(
        load("legal_bases.json"),
        lambda raw: LegalBasis(
            raw["code"], raw["article"], names(raw["names"]), names(raw["sentences"], "sentence")
        ),
    )


def purpose_by_code(code: str) -> Purpose | None:
    """The purpose with that code, or `None`."""
    return next((purpose for purpose in purposes() if purpose.code == code), None)


def legal_basis_by_code(code: str) -> LegalBasis | None:
    """The basis with that code, or `None`."""
    return next((basis for basis in legal_bases() if basis.code == code), None)
