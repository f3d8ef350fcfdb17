"""Which annotations and form fields of a PDF stay in a recipient's copy, and by which rule."""

from dataclasses import dataclass

from vault.decoding import pdf_rules as rules
from vault.decoding.pdf_objects import Objects, Value, is_reference

_MAX_LEVELS = 32


def is_shown(objects: Objects, note: Value) -> bool:
    """Whether an annotation is of a kind that stays, and can ever be seen."""
    flags = objects.get(note, "/F")
    if isinstance(flags, int) and flags & rules.HIDDEN_ANNOTATION:
        return False
    kind = objects.get(note, "/Subtype")
    if kind == "/Widget" and is_signature(objects, note):
        return objects.get(objects.get(note, "/AP"), "/N") is not None
    return kind in {"/Link", "/Widget"} or kind in rules.MARKUP


def rule_name(objects: Objects, note: Value) -> str:
    """The rule for an annotation or a field that stays. What a signature shows stays as the look of
    a button that does nothing: in the same place above or below others, and no longer a signature.
    """
    kind = objects.get(note, "/Subtype")
    if kind is None:
        return "field_only"
    if kind == "/Link":
        return "link"
    if kind == "/Widget":
        return "stamp" if is_signature(objects, note) else "widget"
    return "markup"


def finish(objects: Objects, note: Value, name: str, kept: Value) -> None:
    """Completes what stays of an annotation: a stamp's kind, a secret field without its value."""
    if name == "stamp":
        title = _inherited(objects, note, "/T")
        kept["/T"] = title if isinstance(title, str) else "u:signature"
        kept["/FT"], kept["/Ff"] = "/Btn", rules.INERT_BUTTON
    if name in {"widget", "field_only"}:
        flags = _inherited(objects, note, "/Ff")
        if isinstance(flags, int) and flags & rules.SECRET_FIELD:
            kept.pop("/V", None)
            kept["/Ff"] = flags & ~rules.SECRET_FIELD


def is_signature(objects: Objects, note: Value) -> bool:
    """Whether a widget belongs to a signature field."""
    return bool(_inherited(objects, note, "/FT") == "/Sig")


def _inherited(objects: Objects, note: Value, key: str) -> Value:
    for _ in range(_MAX_LEVELS):
        if not isinstance(note, dict):
            return None
        if key in note:
            return objects.get(note, key)
        note = objects.get(note, "/Parent")
    return None


@dataclass(frozen=True)
class FormFields:
    """The references of the form fields that have a widget on a page, and of all above them.
    `stamps`: of those that were signatures, in order."""

    kept: frozenset[str] = frozenset()
    stamps: tuple[str, ...] = ()


def fields_on(objects: Objects, pages: list[str]) -> FormFields:
    """Looks at the annotations of every page."""
    found, stamps = set[str](), dict[str, None]()
    for page in pages:
        notes = objects.get(objects.resolved(page), "/Annots")
        for reference in notes if isinstance(notes, list) else ():
            note = objects.resolved(reference)
            if objects.get(note, "/Subtype") != "/Widget" or not is_shown(objects, note):
                continue
            if not is_signature(objects, note):
                found |= _with_parents(objects, reference, note)
            elif is_reference(reference):
                stamps[reference] = None
    return FormFields(frozenset(found | stamps.keys()), tuple(stamps))


def _with_parents(objects: Objects, reference: Value, note: Value) -> set[str]:
    found = set()
    for _ in range(_MAX_LEVELS):
        if is_reference(reference):
            found.add(reference)
        reference = note.get("/Parent") if isinstance(note, dict) else None
        if reference is None:
            break
        note = objects.resolved(reference)
    return found
