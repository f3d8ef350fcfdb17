"""What a PDF carried beside its pages, by what the rewriting dropped or never met."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vault.decoding import pdf_rules as rules
from vault.decoding import pdf_unseen
from vault.decoding.media import Carries
from vault.decoding.pdf_objects import Objects, StreamDictionary, Value, is_reference, text
from vault.decoding.pdf_rewrite import Rewrite

_SCAFFOLD = frozenset({"/XRef", "/ObjStm"})
_ACTIONS = frozenset({"action", "/A", "/OpenAction"})
_PLAIN_ADDRESS = re.compile(rb"(?:(?:https?|mailto|tel|sms):|(?![/\\]{2})[^:]*\Z)", re.IGNORECASE)
"""Of the web, of a person, or relative to where the file is."""
_PLACES = ("/F", "/UF", "/DOS", "/Mac", "/Unix")


@dataclass(frozen=True)
class Findings:
    """What the copy has no more: what it carried, and whether it was signed."""

    carries: frozenset[Carries]
    signed: bool


def findings(objects: Objects, rewrite: Rewrite) -> Findings:
    """By what was dropped, and by what no page used."""
    found = {Carries.DETAILS} if "/Info" in objects.trailer else set[Carries]()
    below = _reached(objects, [value for _, value in rewrite.dropped], rewrite)
    holders: list[Value] = []
    for key, value in rewrite.dropped:
        found |= _by_key(objects, key, value)
        holders += _dictionaries(value)
    for reference, value in objects.by_reference.items():
        if reference not in rewrite.kept:
            holders += _dictionaries(value)
            if reference not in below and _is_leftover(objects, value, reference):
                found.add(Carries.EARLIER)
    for holder in holders:
        found |= _by_names(objects, holder)
    signed = any(_is_signature(objects, holder) for holder in holders)
    if signed:
        found |= pdf_unseen.unseen(objects, rewrite)
    return Findings(frozenset(found), signed)


def _is_signature(objects: Objects, holder: Value) -> bool:
    """A signature's own dictionary, or the field that has one."""
    return "/ByteRange" in holder or ("/V" in holder and objects.get(holder, "/FT") == "/Sig")


def _by_key(objects: Objects, key: str, value: Value) -> set[Carries]:
    if key in _ACTIONS:
        return _by_action(objects, objects.resolved(value))
    if key == "/T":
        return {Carries.DETAILS}
    if key == "/F":
        return {Carries.EXTERNAL} if _is_string(objects.resolved(value)) else set()
    return {rules.CARRIED_BY_KEY[key]} if key in rules.CARRIED_BY_KEY else set()


def _by_action(objects: Objects, action: Value) -> set[Carries]:
    """An action is active unless it is known to be none: a move, or an address that one writes to.
    A list is a place to begin at; a dictionary without a kind does nothing."""
    kind = objects.get(action, "/S")
    if kind is None or kind == "/GoTo":
        return set()
    if kind == "/Named" and objects.get(action, "/N") in rules.MOVES:
        return set()
    if kind == "/URI":
        address = text(objects.get(action, "/URI"))
        return set() if _PLAIN_ADDRESS.match(address) else {Carries.EXTERNAL}
    return {rules.CARRIED_BY_NAME.get(str(kind), Carries.ACTIVE)}


def _by_names(objects: Objects, holder: Value) -> set[Carries]:
    found = {rules.CARRIED_BY_KEY[key] for key in holder if key in rules.CARRIED_BY_KEY}
    for key in ("/S", "/Subtype", "/Type"):
        name = objects.get(holder, key)
        if isinstance(name, str) and name in rules.CARRIED_BY_NAME:
            found.add(rules.CARRIED_BY_NAME[name])
    if "/EF" not in holder and any(_is_string(objects.get(holder, key)) for key in _PLACES):
        found.add(Carries.EXTERNAL)
    return found


def _is_string(value: Value) -> bool:
    """The name of a file is one; the flags of an annotation, under the same key, are not."""
    return isinstance(value, str) and value[:2] in {"u:", "b:"}


def _dictionaries(value: Value) -> Iterator[Value]:
    """Every dictionary inside a value; references are not followed."""
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            yield current
            stack += current.values()
        elif isinstance(current, list):
            stack += current


def _reached(objects: Objects, values: list[Value], rewrite: Rewrite) -> set[str]:
    """The objects that only what was dropped leads to."""
    reached, stack = set[str](), [*values, objects.trailer.get("/Info")]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            stack += current.values()
        elif isinstance(current, list):
            stack += current
        elif is_reference(current) and current not in reached and current not in rewrite.kept:
            reached.add(current)
            stack.append(objects.by_reference.get(current))
    return reached


def _is_leftover(objects: Objects, value: Value, reference: str) -> bool:
    """An object that nothing uses, unless it is scaffolding of the file itself."""
    if not isinstance(value, dict) or reference == objects.trailer.get("/Encrypt"):
        return False
    if objects.get(value, "/Type") in _SCAFFOLD or "/Linearized" in value:
        return False
    if isinstance(value, StreamDictionary):
        # The hints of a file arranged for the web say where its objects are.
        return not (isinstance(value.get("/S"), int) and _is_for_the_web(objects))
    return any(_is_string(item) for item in value.values())


def _is_for_the_web(objects: Objects) -> bool:
    return any(
        isinstance(value, dict) and "/Linearized" in value
        for value in objects.by_reference.values()
    )


def is_dynamic_form(objects: Objects) -> bool:
    """An XFA form whose pages are made by a program that few readers have."""
    catalogue = objects.resolved(objects.trailer.get("/Root"))
    form = objects.get(catalogue, "/AcroForm")
    if not isinstance(form, dict) or "/XFA" not in form:
        return False
    return objects.get(catalogue, "/NeedsRendering") is True or not objects.get(form, "/Fields")


def is_portfolio(objects: Objects) -> bool:
    """A collection of files behind a cover page."""
    catalogue = objects.resolved(objects.trailer.get("/Root"))
    return isinstance(objects.get(catalogue, "/Collection"), dict)
