"""Hostile PDFs: each feature that can act, attach, fetch or hide, in each form of writing."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pikepdf
from pikepdf import Dictionary, Name, String

from tests.vault.decoding.pdfs.actions import ACTIONS, CLICKED, TRIGGERS
from tests.vault.decoding.pdfs.carriers import CARRIERS
from tests.vault.decoding.pdfs.corners import CORNERS
from tests.vault.decoding.pdfs.pictures import BETWEEN, PICTURES
from tests.vault.decoding.pdfs.rich import rich
from tests.vault.decoding.pdfs.writing import FORMS, Objects, spelled

CANARY = "canary"
"""Stands in all that must not be found in a recipient's copy."""

Planting = Callable[[pikepdf.Pdf, str], None]


@dataclass(frozen=True)
class Hostile:
    """One feature in one form; `name` says which."""

    name: str
    plant: Planting
    form: str
    between: Callable[[bytes, bytes], bytes] | None = None

    def data(self, canary: str = CANARY) -> bytes:
        """The file."""
        with pikepdf.open(io.BytesIO(rich())) as pdf:
            self.plant(pdf, canary)
            written = FORMS[self.form](pdf, _harmless())
        return written if self.between is None else self.between(written, canary.encode())


@cache
def _harmless() -> Objects:
    with pikepdf.open(io.BytesIO(rich())) as pdf:
        return spelled(pdf)


def _fetch_unasked(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    """Allowed where someone clicks, nowhere else."""
    return Dictionary(S=Name.URI, URI=String(f"https://{canary}.example/"))


def _act(action: str, trigger: str) -> Planting:
    make = {**ACTIONS, "address of the web": _fetch_unasked}[action]
    start = {**TRIGGERS, **CLICKED}[trigger]
    return lambda pdf, canary: start(pdf, make(pdf, canary))


def _nothing(pdf: pikepdf.Pdf, canary: str) -> None:
    del pdf, canary


def _each(number: int, forms: int, full: bool) -> Iterator[str]:
    """Some forms for the feature of that number, or all: neighbours get different ones."""
    names = tuple(FORMS)
    if full:
        yield from names
        return
    for step in range(forms):
        yield names[(number * 3 + step * 5) % len(names)]


def _actions(full: bool) -> Iterator[Hostile]:
    triggers = (*TRIGGERS, *CLICKED)
    for number, action in enumerate(ACTIONS):
        chosen = (
            triggers
            if full
            else [triggers[(number * 7 + n * 11) % len(triggers)] for n in range(2)]
        )
        for step, trigger in enumerate(chosen):
            for form in _each(number + step, 1, full=False):
                name = f"{action} at {trigger}, {form}"
                yield Hostile(name, _act(action, trigger), form)


def _triggers(full: bool) -> Iterator[Hostile]:
    for number, trigger in enumerate((*TRIGGERS, *CLICKED)):
        for action in ("script", "address of the web"):
            if action == "address of the web" and trigger in CLICKED:
                continue
            for form in _each(number, 1, full):
                name = f"{action} at {trigger}, {form}"
                yield Hostile(name, _act(action, trigger), form)


_OF_MANY_PLACES = ("private key in", "metadata of", "pieces of", "associated with", "data outside")
_OF_MANY_PLACES += ("information", "dictionary as", "text in the", "JPEG of the")


def _carriers(full: bool) -> Iterator[Hostile]:
    for number, (name, plant) in enumerate({**CARRIERS, **PICTURES, **CORNERS}.items()):
        for form in _each(number, 1 if name.startswith(_OF_MANY_PLACES) else 2, full):
            yield Hostile(f"{name}, {form}", plant, form)


def _between(full: bool) -> Iterator[Hostile]:
    forms = ("direct", "appended revision", "hybrid table") if full else ("direct",)
    for name, between in BETWEEN.items():
        for form in forms:
            yield Hostile(f"{name}, {form}", _nothing, form, between)


@cache
def combinations(*, full: bool = False) -> tuple[Hostile, ...]:
    """Every feature in a few forms; `full`: in all of them, and every action at every trigger."""
    found = {
        one.name: one for make in (_actions, _triggers, _carriers, _between) for one in make(full)
    }
    return tuple(found.values())
