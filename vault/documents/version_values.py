"""What a version's sealed row keeps: of the inspection of its files, and the dates that the version
before it bore. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from vault.decoding.media import CLEANING, Inspection
from vault.document_view import DocumentMetadata, DocumentView

DATES = ("issued_on", "expires_on", "due_on", "income_year")
"""What a paper bears; another paper bears others."""
_BEFORE = "dates_before"


def inspected_values(inspection: Inspection) -> dict[str, Any]:
    """The values, in JSON. `cleaning`: the edition of the rules of its copy for recipients; `same`:
    they get the only original, which has nothing to remove."""
    return {
        "pages": inspection.pages,
        "notes": [note.value for note in inspection.notes],
        "cleaning": CLEANING,
        "same": inspection.rendition == "same",
        "carries": sorted(inspection.carries),
        "signatures": [
            {
                "signer": each.signer,
                "signed_at": each.signed_at and each.signed_at.isoformat(),
                "state": each.state.value,
            }
            for each in inspection.signatures
        ],
    }


def values_of_before(before: DocumentMetadata) -> dict[str, Any]:
    """The values, in JSON, that a new version keeps of the paper that it replaces: the document's
    row has room for the dates of one paper."""
    found = {name: getattr(before, name) for name in DATES}
    return {
        _BEFORE: {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in found.items()
            if value is not None
        }
    }


def with_own_dates(versions: Sequence[DocumentView]) -> list[DocumentView]:
    """The versions of a document, newest first, each with the dates that it bore. One that was
    replaced under an earlier release, which did not keep them, has none."""
    dated = list(versions[:1])
    for newer, version in pairwise(versions):
        dates: dict[str, Any] = dict.fromkeys(DATES) | _dates_in(newer.file.get(_BEFORE, {}))
        dated.append(replace(version, metadata=replace(version.metadata, **dates)))
    return dated


def _dates_in(values: dict[str, Any]) -> dict[str, Any]:
    """The same, read back: a year is a number."""
    return {
        name: date.fromisoformat(value) if isinstance(value, str) else value
        for name, value in values.items()
    }
