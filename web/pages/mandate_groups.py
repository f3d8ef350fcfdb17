"""Requests as lists show them: those of one mandate together, which is one paper to sign."""

from collections.abc import Iterable
from typing import Protocol, TypeVar
from uuid import UUID

from vault.consent.mandate_papers import MandatePaper


class OnPaper(Protocol):
    """A request, which may be on a mandate."""

    @property
    def id(self) -> UUID:
        """Its own."""

    @property
    def mandate(self) -> MandatePaper | None:
        """The mandate that it is on."""


Requested = TypeVar("Requested", bound=OnPaper)


def grouped(requests: Iterable[Requested]) -> list[list[Requested]]:
    """The requests, in their order; those of one mandate in one group, in the order of the paper,
    where the first of them stood."""
    groups: list[list[Requested]] = []
    papers: dict[object, list[Requested]] = {}
    for one in requests:
        if one.mandate is not None and one.mandate.id in papers:
            papers[one.mandate.id].append(one)
            continue
        groups.append([one])
        if one.mandate is not None:
            papers[one.mandate.id] = groups[-1]
    for together in papers.values():
        together.sort(key=_place)
    return groups


def _place(one: OnPaper) -> int:
    """Where a request stands on its paper."""
    ids = () if one.mandate is None else one.mandate.request_ids
    return ids.index(one.id) if one.id in ids else 0
