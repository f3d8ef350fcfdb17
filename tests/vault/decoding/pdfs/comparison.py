"""What a person sees of a PDF, and what a screen reader does, to be compared before and after."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Object

DPI = 100
PAGES = 8
"""At most so many pages of a file are drawn."""


def drawn(data: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """The pages as PDFium draws them, forms included: sizes and pixels."""
    document = pypdfium2.PdfDocument(data)
    try:
        document.init_forms()
        found = []
        for number in range(min(len(document), PAGES)):
            bitmap = document[number].render(scale=DPI / 72, may_draw_forms=True)
            found.append(((bitmap.width, bitmap.height), bytes(bitmap.buffer)))
        return found
    finally:
        document.close()


def differing(before: bytes, after: bytes) -> str:
    """Where two files look different; nothing if they look the same."""
    first, second = drawn(before), drawn(after)
    if len(first) != len(second):
        return f"{len(first)} pages, then {len(second)}"
    for number, (one, other) in enumerate(zip(first, second, strict=True), 1):
        if one[0] != other[0]:
            return f"page {number} measured {one[0]}, then {other[0]}"
        if one[1] != other[1]:
            pixels = sum(a != b for a, b in zip(one[1], other[1], strict=True))
            return f"page {number}: {pixels} of {len(one[1])} samples differ"
    return ""


@dataclass(frozen=True)
class Description:
    """What is not pixels."""

    pages: int
    text: tuple[str, ...]
    tags: tuple[tuple[str, str, str, str], ...]
    """Of each element: its role, Alt, ActualText, Lang; in reading order."""
    tagged_places: int
    """Rows of the parent tree that lead to an element of the tree."""
    marked: bool
    language: str
    links: tuple[str, ...]
    outline: tuple[str, ...]
    labels: int
    places: tuple[str, ...]
    """Named destinations that lead to a page, and ids that lead to an element."""
    layers: tuple[str, ...]


def described(data: bytes) -> Description:
    """Reads a file that opens without a password."""
    with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
        elements = list(_elements(pdf))
        with pdf.open_outline() as outline:
            titles = tuple(_titles(outline.root))
        return Description(
            pages=len(pdf.pages),
            text=_text(data),
            tags=tuple(_tag(element) for element in elements),
            tagged_places=_tagged_places(pdf, elements),
            marked=bool(pdf.Root.get("/MarkInfo", Dictionary()).get("/Marked", False)),
            language=str(pdf.Root.get("/Lang", "")),
            links=tuple(_links(pdf)),
            outline=titles,
            labels=sum(1 for _ in _pairs(pdf.Root.get("/PageLabels"), "/Nums")),
            places=tuple(sorted(_places(pdf, elements))),
            layers=tuple(_layers(pdf)),
        )


def _text(data: bytes) -> tuple[str, ...]:
    document = pypdfium2.PdfDocument(data)
    try:
        pages = range(min(len(document), PAGES))
        return tuple(document[number].get_textpage().get_text_range() for number in pages)
    finally:
        document.close()


def _elements(pdf: pikepdf.Pdf) -> Iterator[Object]:
    """The elements of the structure in order, each once."""
    root = pdf.Root.get("/StructTreeRoot")
    waiting = [] if root is None else [root.get("/K")]
    seen = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, Array):
            waiting += reversed(list(one))
        elif isinstance(one, Dictionary) and "/S" in one and one.objgen not in seen:
            if one.is_indirect:
                seen.add(one.objgen)
            yield one
            waiting.append(one.get("/K"))


def _tag(element: Object) -> tuple[str, str, str, str]:
    texts = (str(element.get(key, "")) for key in ("/Alt", "/ActualText", "/Lang"))
    return (str(element.S), *texts)  # type: ignore[return-value]


def _pairs(tree: Object | None, key: str) -> Iterator[tuple[Object, Object]]:
    """The entries of a name tree or a number tree."""
    waiting = [] if tree is None else [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Dictionary):
            continue
        waiting += list(node.get("/Kids", []))
        entries = list(node.get(key, []))
        yield from zip(entries[::2], entries[1::2], strict=True)


def _places(pdf: pikepdf.Pdf, elements: list[Object]) -> Iterator[str]:
    pages = {page.obj.objgen for page in pdf.pages}
    named = list(_pairs(pdf.Root.get("/Names", Dictionary()).get("/Dests"), "/Names"))
    named += [*pdf.Root.get("/Dests", Dictionary()).items()]
    for name, held in named:
        target = held.get("/D") if isinstance(held, Dictionary) else held
        if isinstance(target, Array) and target[0].objgen in pages:
            yield f"place {name}"
    known = {element.objgen for element in elements}
    tree = pdf.Root.get("/StructTreeRoot", Dictionary()).get("/IDTree")
    for name, element in _pairs(tree, "/Names"):
        if element is not None and element.objgen in known:
            yield f"id {name}"


def _tagged_places(pdf: pikepdf.Pdf, elements: list[Object]) -> int:
    known = {element.objgen for element in elements}
    tree = pdf.Root.get("/StructTreeRoot", Dictionary()).get("/ParentTree")
    held = [row for _, row in _pairs(tree, "/Nums")]
    rows = [list(row) if isinstance(row, Array) else [row] for row in held]
    return sum(
        isinstance(one, Object) and one.is_indirect and one.objgen in known
        for row in rows
        for one in row
    )


def _links(pdf: pikepdf.Pdf) -> Iterator[str]:
    for number, page in enumerate(pdf.pages):
        for note in page.obj.get("/Annots", []):
            if note.get("/Subtype") == "/Link":
                action = note.get("/A", Dictionary())
                leads = action.get("/URI", "") or action.get("/N", "") or "a page"
                yield f"{number}: {leads}"


def _titles(items: list[pikepdf.OutlineItem], depth: int = 0) -> Iterator[str]:
    for item in items:
        yield f"{depth} {item.title} {item.destination is not None or item.action is not None}"
        yield from _titles(item.children, depth + 1)


def _layers(pdf: pikepdf.Pdf) -> Iterator[str]:
    layers = pdf.Root.get("/OCProperties")
    if layers is None:
        return
    view = layers.get("/D", Dictionary())
    yield str(view.get("/BaseState", "/ON"))
    for group in layers.get("/OCGs", []):
        for key in ("/ON", "/OFF", "/Locked"):
            if any(group.objgen == one.objgen for one in view.get(key, [])):
                yield f"{group.get('/Name')} {key}"
    for use in view.get("/AS", []):
        yield f"{use.get('/Event')} {len(use.get('/OCGs', []))}"
