"""The names that the catalogue gives to types and purposes, as pages and prints show them."""

from vault import catalogue
from vault.catalogue import Names
from web.i18n.date_labels import DATE_LABELS
from web.i18n.error_messages import _
from web.i18n.languages import languages


def name_in(names: Names, language: str, *, plain: bool) -> str:
    """A name of the catalogue: in French, as a person's pages show it (`plain`: FALC) or not. A
    language in which the catalogue has no names shows the official French one: it is the word that
    stands on the paper, whoever has to find it."""
    spoken = languages()[language]
    if spoken.tag == "fr":
        return names.falc if plain or spoken.easy else names.fr
    return getattr(names, language, names.fr)


def type_names(code: str) -> Names:
    """Both names of a type, the easy one and the official one in brackets, on every page; those of
    `other` for a type that this release does not know."""
    document_type = catalogue.by_code(code) or catalogue.by_code("other")
    assert document_type is not None  # noqa: S101  (the catalogue's tests keep `other`)
    both = document_type.labels
    return Names(both.fr, both.fr, both.en)


def due_label(code: str) -> str:
    """What the day is called by which the holder of such a paper has to do something, in French."""
    document_type = catalogue.by_code(code)
    kind = document_type.date_that_matters if document_type else None
    return DATE_LABELS[kind] if kind and kind.field == "due_on" else _("À faire avant")


def purpose_names(code: str) -> Names:
    """The names of a purpose; those of `other` for one that this release does not know."""
    purpose = catalogue.purpose_by_code(code) or catalogue.purpose_by_code("other")
    assert purpose is not None  # noqa: S101  (the catalogue's tests keep `other`)
    return purpose.names
