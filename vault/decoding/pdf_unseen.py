"""What a signed PDF holds that none of its pages shows. Its owner may give it as it was signed, so
here nothing passes for being unknown: what the rewriting dropped counts, unless it is named below.
"""

import re

from vault.decoding import pdf_rules as rules
from vault.decoding.media import Carries
from vault.decoding.pdf_objects import Objects, StreamDictionary, Value, is_reference
from vault.decoding.pdf_rewrite import Rewrite

_OF_SIGNING = frozenset({"/V", "/Lock", "/SV", "/Perms", "/DSS", "/Extensions", "/SigFlags"})
_OF_PRINTING = frozenset({"/OutputIntents", "/HT", "/TR", "/Trans"})
_BY_ACTION = {"/URI": Carries.EXTERNAL, "/Named": Carries.ACTIVE}
_DETAILS = frozenset(
    key for key, carries in rules.CARRIED_BY_KEY.items() if carries is Carries.DETAILS
)
_KNOWN = _OF_SIGNING | _OF_PRINTING | _DETAILS
_UNSHOWN = frozenset({"/Popup"})
_TRAILER = frozenset(
    {"/Root", "/Info", "/ID", "/Size", "/Prev", "/Encrypt", "/XRefStm", "/Type", "/Index", "/W"}
    | {"/Length", "/Filter", "/DecodeParms", "/DocChecksum"}
)
_TOKEN = re.compile(
    rb"[\x00\t\n\f\r ]+"
    rb"|%[^\r\n]{0,40}(?=[\r\n]|\Z)"
    rb"|(?P<object>(?P<number>\d{1,10})\s+(?P<generation>\d{1,5})\s+obj\b)"
    rb"|xref\s+(?:\d+\s+\d+\s+(?:\d{10}\s\d{5}\s[nf]\s*)*)+"
    rb"|trailer\s*<<.{0,4000}?>>\s*(?=startxref\b|\Z)"
    rb"|startxref\s+\d+",
    re.DOTALL,
)
_ENDOBJ = b"endobj"
_XREF = re.compile(rb"(?:startxref|/Prev|/XRefStm)\s+(\d+)")


def unseen(objects: Objects, rewrite: Rewrite) -> set[Carries]:
    """By what was dropped."""
    found = {Carries.DETAILS} if objects.trailer.keys() - _TRAILER else set[Carries]()
    for key, value in rewrite.dropped:
        held = objects.resolved(value)
        if key == "action":
            kind = objects.get(held, "/S")
            found |= {_BY_ACTION[kind]} if kind in _BY_ACTION else set()
        elif key in {"/Next", "/URI"}:
            found.add(Carries.EXTERNAL)
        elif key == "annotation":
            found |= _of_annotation(objects, held)
        elif key == "unused" or (key not in _KNOWN and _holds_more(objects, held, rewrite)):
            found.add(Carries.EARLIER)
    return found


def _of_annotation(objects: Objects, note: Value) -> set[Carries]:
    kind = objects.get(note, "/Subtype")
    if not isinstance(note, dict) or kind in _UNSHOWN:
        return set()
    if kind == "/Widget" and ("/FT" not in note or objects.get(note, "/FT") == "/Sig"):
        return set()
    return {Carries.EARLIER}


def _holds_more(objects: Objects, value: Value, rewrite: Rewrite) -> bool:
    """Whether a stream or a page is reached that the copy has not: something to look at."""
    stack, seen = [value], set[str]()
    while stack:
        current = stack.pop()
        if isinstance(current, StreamDictionary) or objects.get(current, "/Type") == "/Page":
            return True
        if isinstance(current, dict):
            stack += current.values()
        elif isinstance(current, list):
            stack += current
        elif is_reference(current) and current not in rewrite.kept and current not in seen:
            seen.add(current)
            stack.append(objects.by_reference.get(current))
    return False


def has_strays(data: bytes, objects: Objects) -> bool:
    """Whether anything stands between the objects of a file, or an object that its tables do not
    list or list elsewhere: a reader that searches the file finds it."""
    tables = {int(found) for found in _XREF.findall(data)}
    at, numbers = 0, set[bytes]()
    while at < len(data):
        token = _TOKEN.match(data, at)
        if token is None:
            return True
        end = token.end()
        if token[0].startswith(b"startxref"):
            numbers.clear()  # Another revision may replace what this one holds.
        if token["object"]:
            reference = f"{int(token['number'])} {int(token['generation'])} R"
            listed = reference in objects.by_reference or at in tables
            if not listed or reference.encode() in numbers:
                return True
            numbers.add(reference.encode())
            end = data.find(_ENDOBJ, end)
            if end < 0:
                return True
            end += len(_ENDOBJ)
        at = end
    return False
