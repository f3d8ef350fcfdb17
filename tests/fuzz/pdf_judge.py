"""What still acts, attaches or fetches in a copy made of a mutated PDF. A name alone proves nothing
here, for a mutation may call a font /Launch: what counts is where it stands."""

import io
from collections.abc import Iterator

import pikepdf
from pikepdf import Array, Dictionary, Object

_ALLOWED = ("/GoTo", "/URI", "/Named")
_HOLDERS = ("/A", "/AA", "/OpenAction", "/Next", "/PA")
_KEYS = ("/EF", "/JS", "/XFA", "/AF", "/RF", "/PieceInfo", "/Metadata", "/Collection", "/AA", "/PA")
_NAMED_BY_AUTHORS = frozenset(
    f"/{key}"
    for key in ("Font", "XObject", "ExtGState", "ColorSpace", "Pattern", "Shading", "Properties",
                "CharProcs", "ClassMap", "RoleMap", "Colorants", "N", "D", "R", "Dests")
)  # fmt: skip


def faults(data: bytes) -> list[str]:
    """What is wrong with a copy; nothing if it may reach a recipient."""
    with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
        found = list(_in_objects(pdf))
        if "/Info" in pdf.trailer or "/Encrypt" in pdf.trailer:
            found.append("trailer")
        for stream in _raw_streams(pdf):  # a mutation may write the word into a picture
            data = data.replace(stream, b"", 1)
    if data.count(b"startxref") != 1 + (b"/Linearized" in data[:1024]):
        found.append("revisions")
    return found


def _raw_streams(pdf: pikepdf.Pdf) -> Iterator[bytes]:
    for obj in pdf.objects:
        if isinstance(obj, pikepdf.Stream) and b"startxref" in (raw := obj.read_raw_bytes()):
            yield raw


def _in_objects(pdf: pikepdf.Pdf) -> Iterator[str]:
    maps = {
        value.objgen
        for held, _ in _dictionaries(pdf)
        for key, value in held.items()
        if key in _NAMED_BY_AUTHORS and isinstance(value, Dictionary) and value.is_indirect
    }
    for held, under in _dictionaries(pdf):
        if under not in _NAMED_BY_AUTHORS and not (held.is_indirect and held.objgen in maps):
            yield from _of(held)


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[tuple[Dictionary, str]]:
    """Every dictionary, with the key under which it stands if it is no object of its own."""
    for obj in pdf.objects:
        waiting: list[tuple[Object, str]] = [(obj, "")]
        while waiting:
            one, under = waiting.pop()
            held = one.stream_dict if isinstance(one, pikepdf.Stream) else one
            if isinstance(held, Dictionary):
                yield held, under
                inside = [(held[key], key) for key in list(held.keys())]
            elif isinstance(held, Array):
                inside = [(inner, under) for inner in held]
            else:
                continue
            waiting += [
                (inner, key)
                for inner, key in inside
                if isinstance(inner, Dictionary | Array) and not inner.is_indirect
            ]


def _of(held: Dictionary) -> Iterator[str]:
    for key in _KEYS:
        if key in held:
            yield f"{held.objgen} has {key}"
    for key in _HOLDERS:
        action = held.get(key)
        if isinstance(action, Dictionary) and "/S" in action and action.get("/O") is None:
            kind = action.get("/S")
            if kind not in _ALLOWED:
                yield f"{held.objgen} {key} does {kind}"
            elif kind == "/URI" and not _is_of_the_web(action.get("/URI")):
                yield f"{held.objgen} leads elsewhere"


def _is_of_the_web(address: object) -> bool:
    return isinstance(address, pikepdf.String) and bytes(address).lower().startswith(
        (b"http://", b"https://")
    )
