"""Harmless PDFs with forms, annotations and tags, and some that are broken but open everywhere."""

import re
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tests.vault.decoding.corpus import pdf_bytes
from tests.vault.decoding.pdfs.harmless.drawings import Draw, add_page, helvetica, words
from tests.vault.decoding.pdfs.rich import drawing

_OFF = b"q 0 G 1 1 98 98 re S Q"
_ON = b"q 0 0.5 0 rg 20 20 60 60 re f Q"


def _look(pdf: pikepdf.Pdf, text: str, size: tuple[int, int] = (140, 24)) -> Object:
    fonts = Dictionary(F1=helvetica(pdf))
    shown = f"/Tx BMC q 0.95 g 0 0 140 24 re f BT 0 g /F1 12 Tf 4 8 Td ({text}) Tj ET Q EMC"
    form = drawing(pdf, shown.encode(), Resources=Dictionary(Font=fonts))
    form.stream_dict.BBox = Array([0, 0, *size])
    return form


def _widget(pdf: pikepdf.Pdf, at: tuple[int, int, int, int], **entries: object) -> Object:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            F=4,
            Rect=Array([at[0], at[1], at[0] + at[2], at[1] + at[3]]),
            **entries,
        )
    )


def _with_fields(pdf: pikepdf.Pdf, fields: list[Object], **entries: object) -> None:
    page = pdf.pages[0].obj
    kids = [kid for field in fields for kid in field.get("/Kids", [field])]
    page.Annots = Array(kids)
    resources = Dictionary(Font=Dictionary(Helv=helvetica(pdf)))
    pdf.Root.AcroForm = Dictionary(
        Fields=Array(fields), DR=resources, DA=String("/Helv 12 Tf 0 g"), **entries
    )


def _texts(pdf: pikepdf.Pdf) -> None:
    add_page(pdf, words("Form"))
    fields = [
        _widget(
            pdf,
            (20, 60 + 40 * n, 140, 24),
            FT=Name.Tx,
            T=String(f"field{n}"),
            V=String(text),
            DA=String("/Helv 12 Tf 0 g"),
            AP=Dictionary(N=_look(pdf, text)),
            MK=Dictionary(BC=Array([0, 0, 1])),
        )
        for n, text in enumerate(("Amina", "12 rue des Lilas", "Lyon"))
    ]
    _with_fields(pdf, fields)


def _box(pdf: pikepdf.Pdf, at: tuple[int, int], name: str, *, ticked: bool) -> Object:
    looks = Dictionary({"/" + name: drawing(pdf, _ON + _OFF), "/Off": drawing(pdf, _OFF)})
    state = Name("/" + name) if ticked else Name.Off
    return _widget(pdf, (*at, 20, 20), AP=Dictionary(N=looks, D=looks), AS=state)


def _ticks(pdf: pikepdf.Pdf) -> None:
    add_page(pdf, words("Boxes"))
    fields = []
    for n in range(4):
        field = _box(pdf, (20 + 40 * n, 100), "Oui", ticked=n % 2 == 0)
        field.FT, field.T, field.V = Name.Btn, String(f"box{n}"), field.AS
        fields.append(field)
    _with_fields(pdf, fields)


def _radio(pdf: pikepdf.Pdf) -> None:
    add_page(pdf, words("One of three"))
    parent = pdf.make_indirect(
        Dictionary(FT=Name.Btn, Ff=1 << 15, T=String("choice"), V=Name("/C1"))
    )
    kids = [_box(pdf, (20 + 40 * n, 100), f"C{n}", ticked=n == 1) for n in range(3)]
    for kid in kids:
        kid.Parent = parent
    parent.Kids = Array(kids)
    _with_fields(pdf, [parent])


def _choices(pdf: pikepdf.Pdf) -> None:
    add_page(pdf, words("Lists"))
    options = Array([String("un"), Array([String("2"), String("deux")]), String("trois")])
    fields = [
        _widget(
            pdf,
            (20, 80 + 60 * n, 140, 24),
            FT=Name.Ch,
            Ff=flags,
            T=String(f"list{n}"),
            V=String("un"),
            Opt=options,
            AP=Dictionary(N=_look(pdf, "un")),
        )
        for n, flags in enumerate((1 << 17, 0))
    ]
    _with_fields(pdf, fields)


def _hidden_fields(pdf: pikepdf.Pdf) -> None:
    _texts(pdf)
    notes = pdf.pages[0].obj.Annots
    notes[0].F, notes[1].F = 2, 32  # hidden; not shown on screens
    notes[2].AP.N.stream_dict.Matrix = Array([0, 1, -1, 0, 24, 0])


def _shared_field(pdf: pikepdf.Pdf) -> None:
    """One value shown in two places, on two pages."""
    add_page(pdf, words("First"))
    add_page(pdf, words("Second"))
    parent = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("name"), V=String("Amina")))
    kids = [_widget(pdf, (20, 100, 140, 24), AP=Dictionary(N=_look(pdf, "Amina"))) for _ in "ab"]
    for page, kid in zip(pdf.pages, kids, strict=True):
        kid.Parent, page.obj.Annots = parent, Array([kid])
    parent.Kids = Array(kids)
    pdf.Root.AcroForm = Dictionary(Fields=Array([parent]))


def _stamp(pdf: pikepdf.Pdf) -> None:
    """A signature field that nobody signed, with a look."""
    add_page(pdf, words("Signature"))
    look = drawing(pdf, b"1 0 0 RG 3 w 10 10 80 80 re S")
    field = _widget(pdf, (120, 60, 100, 100), FT=Name.Sig, T=String("s"), AP=Dictionary(N=look))
    _with_fields(pdf, [field], SigFlags=1)


def _remarks(pdf: pikepdf.Pdf) -> None:
    page = add_page(pdf, words("Remarks"))
    kinds = ("Square", "Circle", "Highlight", "Underline", "StrikeOut", "Stamp", "FreeText", "Ink")
    quads = Array([20, 40, 90, 40, 20, 20, 90, 20])
    page.Annots = Array(
        [
            _widget(
                pdf,
                (20 + 130 * (n % 2), 20 + 70 * (n // 2), 110, 50),
                Contents=String("A remark"),
                C=Array([1, 0.8, 0]),
                QuadPoints=quads,
                AP=Dictionary(N=drawing(pdf, f"{n / 8} 0.5 0 rg 5 5 90 {40 + n} re f".encode())),
            )
            for n in range(len(kinds))
        ]
    )
    for note, kind in zip(page.Annots, kinds, strict=True):
        note.Subtype = Name("/" + kind)
        if kind in ("FreeText", "Square", "Circle", "Ink", "Stamp"):
            del note["/QuadPoints"]


def _tagged(pdf: pikepdf.Pdf) -> None:
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    document = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root))
    elements, rows = [], Array([])
    for n in range(3):
        drawn = b"/H1 <</MCID 0>> BDC " + words(f"Title {n}") + b" EMC /Figure <</MCID 1>> BDC "
        page = add_page(pdf, drawn + b"0 0 1 rg 20 40 200 90 re f EMC /Artifact BMC EMC")
        page.StructParents, page.Tabs = n, Name.S
        own = []
        for number, kind in enumerate(("H1", "Figure")):
            element = Dictionary(Type=Name.StructElem, S=Name("/" + kind), P=document, Pg=page)
            element.K = number
            own.append(pdf.make_indirect(element))
        own[1].Alt, own[0].ActualText = String(f"Une figure {n}"), String(f"Titre {n}")
        own[1].A = Dictionary(O=Name.Layout, BBox=Array([20, 40, 220, 130]), Placement=Name.Block)
        own[0].ID, own[0].Lang = String(f"id{n}"), String("fr")
        elements += own
        rows.extend([n, Array(own)])
    document.K, root.K = Array(elements), document
    root.ParentTree, root.ParentTreeNextKey = Dictionary(Nums=rows), 3
    root.RoleMap = Dictionary(Titre=Name.H1)
    ids = [part for n in range(3) for part in (String(f"id{n}"), elements[2 * n])]
    root.IDTree = Dictionary(Names=Array(ids))
    pdf.Root.StructTreeRoot, pdf.Root.MarkInfo = root, Dictionary(Marked=True)
    pdf.Root.Lang = String("fr-FR")
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True, Direction=Name.L2R)


def _tagged_form(pdf: pikepdf.Pdf) -> None:
    _texts(pdf)
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    elements, rows = [], Array([])
    for n, field in enumerate(pdf.pages[0].obj.Annots):
        held = Dictionary(Type=Name.OBJR, Obj=field, Pg=pdf.pages[0].obj)
        element = Dictionary(Type=Name.StructElem, S=Name.Form, P=root, K=held)
        element.Alt = String(f"Champ {n}")
        elements.append(pdf.make_indirect(element))
        field.StructParent, field.TU = n, String("Votre nom")
        rows.extend([n, elements[-1]])
    root.K, root.ParentTree = Array(elements), Dictionary(Nums=rows)
    pdf.Root.StructTreeRoot, pdf.Root.MarkInfo = root, Dictionary(Marked=True)


_DRAWINGS: dict[str, Draw] = {
    "texts": _texts,
    "boxes": _ticks,
    "one of three": _radio,
    "lists": _choices,
    "hidden fields": _hidden_fields,
    "field in two places": _shared_field,
    "unsigned stamp": _stamp,
    "remarks": _remarks,
    "tagged": _tagged,
    "tagged form": _tagged_form,
}


def _made(draw: Draw) -> bytes:
    pdf = pikepdf.new()
    draw(pdf)
    return pdf_bytes(pdf)


def _plain(draw: Draw) -> bytes:
    pdf = pikepdf.new()
    draw(pdf)
    mode = pikepdf.ObjectStreamMode.disable
    return pdf_bytes(pdf, object_stream_mode=mode, static_id=True)


def without_looks() -> bytes:
    """Fields that leave their look to the reader."""

    def draw(pdf: pikepdf.Pdf) -> None:
        _texts(pdf)
        for field in pdf.pages[0].obj.Annots:
            del field["/AP"]
        pdf.Root.AcroForm.NeedAppearances = True

    return _made(draw)


MAKERS: dict[str, Callable[[], bytes]] = {
    name: (lambda draw=draw: _made(draw)) for name, draw in _DRAWINGS.items()
}
BROKEN: dict[str, Callable[[], bytes]] = {
    "table at the wrong place": lambda: re.sub(
        rb"startxref\s+\d+", b"startxref\n12345678", _plain(_texts)
    ),
    "no table": lambda: re.sub(rb"xref\n.*?trailer", b"trailer", _plain(_tagged), flags=re.S),
    "a length that is wrong": lambda: re.sub(rb"/Length \d+", b"/Length 3", _plain(_remarks)),
    "no size": lambda: re.sub(rb"/Size \d+", b"", _plain(_texts)),
    "no end": lambda: _plain(_tagged).rpartition(b"%%EOF")[0],
    "bytes before the head": lambda: b"\r\n\r\nContent-Type: x\r\n\r\n" + _plain(_texts),
    "blanks after the end": lambda: _plain(_ticks) + b"\r\n\0\0\0\0\r\n",
    "objects without an end": lambda: _plain(_tagged).replace(b"\nendobj", b"\n"),
}
"""What other readers open; they stay as they are in every way of writing."""
