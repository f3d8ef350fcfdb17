"""Harmless PDFs whose looks a reader makes itself, and other things that old files have."""

import base64
import io
import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.vault.decoding.corpus import pdf_bytes, picture
from tests.vault.decoding.pdfs.harmless.drawings import Draw, add_page, words
from tests.vault.decoding.pdfs.rich import drawing, image_of, photo
from tests.vault.decoding.pdfs.writing import classic, spelled, trailer

_QUAD = (20, 60, 120, 60, 20, 40, 120, 40)
_KINDS: dict[str, dict[str, object]] = {
    "Highlight": {"QuadPoints": _QUAD, "CA": 0.5},
    "Underline": {"QuadPoints": _QUAD},
    "StrikeOut": {"QuadPoints": _QUAD},
    "Squiggly": {"QuadPoints": _QUAD},
    "Square": {"IC": (0, 1, 1), "BS": {"W": 3, "S": "D", "D": (4, 2)}},
    "Circle": {"IC": (1, 1, 0), "BS": {"W": 2}},
    "Ink": {"InkList": ((20, 40, 60, 60, 90, 45, 120, 60),), "BS": {"W": 2}},
    "Line": {"L": (20, 40, 120, 60), "LE": ("OpenArrow", "None")},
    "Polygon": {"Vertices": (20, 40, 60, 60, 120, 40)},
    "Text": {"Name": "Note", "Open": False},
}


def _value(one: object) -> object:
    if isinstance(one, tuple):
        return Array([_value(inner) for inner in one])
    if isinstance(one, dict):
        return Dictionary({f"/{key}": _value(inner) for key, inner in one.items()})
    return Name("/" + one) if isinstance(one, str) else one


def _without_looks(kind: str) -> Draw:
    def draw(pdf: pikepdf.Pdf) -> None:
        page = add_page(pdf, words("Remark"))
        note = Dictionary(
            Type=Name.Annot,
            Subtype=Name("/" + kind),
            Rect=Array([18, 38, 122, 62]),
            C=Array([1, 0.5, 0]),
            F=4,
            Contents=String("A remark"),
        )
        for key, value in _KINDS[kind].items():
            note["/" + key] = _value(value)
        page.Annots = Array([pdf.make_indirect(note)])

    return draw


def _remark_in_a_layer(pdf: pikepdf.Pdf) -> None:
    page = add_page(pdf, words("Remark in a layer"))
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Remarks")))
    look = Dictionary(N=drawing(pdf, b"1 0 0 rg 0 0 100 100 re f"))
    note = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([20, 20, 90, 90]), AP=look)
    note.OC, note.F = layer, 4
    page.Annots = Array([pdf.make_indirect(note)])
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))


def _old_destinations(pdf: pikepdf.Pdf) -> None:
    pages = [add_page(pdf, words(f"Page {n}")) for n in range(2)]
    pdf.Root.Dests = Dictionary(end=Array([pages[1], Name.Fit]))
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([20, 20, 90, 60]))
    link.Dest = Name("/end")
    pages[0].Annots = Array([link])


def _bare(pdf: pikepdf.Pdf) -> None:
    """Pages without content, and without resources."""
    first, second = add_page(pdf, b""), add_page(pdf, b"0 0 1 rg 20 20 90 90 re f")
    del first["/Contents"], second["/Resources"]


def _deep_tags(pdf: pikepdf.Pdf) -> None:
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    elements, leaves = [], []
    for n in range(6):
        page = add_page(pdf, b"/P <</MCID 0>> BDC " + words(f"{n}") + b" EMC")
        page.StructParents = n
        element = Dictionary(Type=Name.StructElem, S=Name.P, P=root, Pg=page, K=0, C=Name.Red)
        elements.append(pdf.make_indirect(element))
        leaf = Dictionary(Nums=Array([n, Array([elements[-1]])]), Limits=Array([n, n]))
        leaves.append(pdf.make_indirect(leaf))
    root.K, root.ParentTree = Array(elements), Dictionary(Kids=Array(leaves))
    root.ClassMap = Dictionary(Red=Dictionary(O=Name.Layout, Color=Array([1, 0, 0])))
    pdf.Root.StructTreeRoot, pdf.Root.MarkInfo = root, Dictionary(Marked=True)


def _leaves(pdf: pikepdf.Pdf, key: str, pairs: list[tuple[object, object]]) -> Dictionary:
    """A tree of one leaf a pair (§7.9.6, §7.9.7)."""
    leaves = [
        pdf.make_indirect(Dictionary({key: Array([name, value]), "/Limits": Array([name, name])}))
        for name, value in pairs
    ]
    return Dictionary(Kids=Array([pdf.make_indirect(Dictionary(Kids=Array(leaves)))]))


def _deep_trees(pdf: pikepdf.Pdf) -> None:
    """Named destinations, page labels and ids of tags, as long files have them."""
    _deep_tags(pdf)
    pages = [page.obj for page in pdf.pages]
    links = []
    for n in range(3):
        rectangle = Array([20, 20 + 60 * n, 90, 60 + 60 * n])
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rectangle)
        link.Dest = String(f"place{n}")
        links.append(pdf.make_indirect(link))
    pages[0].Annots = Array(links)
    places = [(String(f"place{n}"), Array([pages[n + 1], Name.Fit])) for n in range(3)]
    pdf.Root.Names = Dictionary(Dests=_leaves(pdf, "/Names", [*places]))
    labels = [(2 * n, Dictionary(S=Name.r, St=n + 1)) for n in range(3)]
    pdf.Root.PageLabels = _leaves(pdf, "/Nums", [*labels])
    root = pdf.Root.StructTreeRoot
    for n, element in enumerate(root.K):
        element.ID = String(f"id{n}")
    ids = [(element.ID, element) for element in root.K]
    root.IDTree = _leaves(pdf, "/Names", [*ids])


def _coded(code: Callable[[bytes], bytes], *filters: str) -> Draw:
    def draw(pdf: pikepdf.Pdf) -> None:
        image = image_of(pdf, photo())
        image.write(
            code(picture(24, 16).tobytes()), filter=Array([Name("/" + one) for one in filters])
        )
        shown = b"q 240 0 0 160 20 200 cm /I Do Q"
        add_page(pdf, shown, XObject=Dictionary(I=image))

    return draw


def _run_lengths(data: bytes) -> bytes:
    pieces = [data[at : at + 128] for at in range(0, len(data), 128)]
    return b"".join(bytes([len(piece) - 1]) + piece for piece in pieces) + b"\x80"


def _in_base_85(data: bytes) -> bytes:
    return base64.a85encode(zlib.compress(data)) + b"~>"


_DRAWINGS: dict[str, Draw] = {
    **{f"{kind} without a look": _without_looks(kind) for kind in _KINDS},
    "remark in a layer": _remark_in_a_layer,
    "old destinations": _old_destinations,
    "bare pages": _bare,
    "deep tags": _deep_tags,
    "deep trees": _deep_trees,
    "run lengths": _coded(_run_lengths, "RunLengthDecode"),
    "base 85": _coded(_in_base_85, "ASCII85Decode", "FlateDecode"),
}


def _made(draw: Draw) -> bytes:
    pdf = pikepdf.new()
    draw(pdf)
    return pdf_bytes(pdf)


def saved_twice() -> bytes:
    """A program changed the page and appended what is new."""
    with pikepdf.open(io.BytesIO(_made(lambda pdf: add_page(pdf, words("Draft"))))) as pdf:
        before = classic(spelled(pdf), trailer(pdf))
        number = pdf.pages[0].obj.Contents.objgen[0]
        content = words("Final") + b"1 0 0 rg 20 20 90 90 re f"
        body = b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream"
        return classic({number: body}, trailer(pdf), before=before)


MAKERS: dict[str, Callable[[], bytes]] = {
    name: (lambda draw=draw: _made(draw)) for name, draw in _DRAWINGS.items()
}
