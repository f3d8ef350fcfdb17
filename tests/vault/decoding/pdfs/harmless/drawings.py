"""Harmless PDFs drawn by hand: fonts, colours, layers, outlines, odd pages."""

from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tests.vault.decoding.corpus import pdf_bytes
from tests.vault.decoding.pdfs.rich import drawing, rich

A6 = (298, 420)
Draw = Callable[[pikepdf.Pdf], None]


def helvetica(pdf: pikepdf.Pdf, name: str = "Helvetica") -> Object:
    """One of the fonts that every reader has."""
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/" + name))
    font.Encoding = Name.WinAnsiEncoding
    return pdf.make_indirect(font)


def add_page(
    pdf: pikepdf.Pdf, commands: bytes, size: tuple[float, float] = A6, **resources: object
) -> Dictionary:
    """A page with that content; the font F1 is there."""
    fonts = Dictionary(F1=helvetica(pdf))
    held = Dictionary(Font=fonts, **resources)
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *size]),
        Resources=held,
        Contents=pdf.make_stream(commands),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    return pdf.pages[-1].obj


def words(text: str, at: int = 380) -> bytes:
    """A line of text, and a box below it."""
    return (
        f"BT /F1 14 Tf 20 {at} Td ({text}) Tj ET 0.3 0.5 0.2 rg 20 {at - 40} 90 25 re f ".encode()
    )


def _fonts(pdf: pikepdf.Pdf) -> None:
    page = add_page(pdf, b"")
    drawn = b""
    for number, name in enumerate(("Times-Roman", "Courier-Bold", "Symbol", "ZapfDingbats"), 2):
        page.Resources.Font[f"/F{number}"] = helvetica(pdf, name)
        drawn += f"BT /F{number} 18 Tf 20 {60 * number} Td (Attestation) Tj ET ".encode()
    page.Contents = pdf.make_stream(drawn)


def _shadings(pdf: pikepdf.Pdf) -> None:
    fade = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1, 0, 0]), N=1)
    fade.C1 = Array([0, 0, 1])
    stitched = Dictionary(FunctionType=3, Domain=Array([0, 1]), Functions=Array([fade, fade]))
    stitched.Bounds, stitched.Encode = Array([0.5]), Array([0, 1, 1, 0])
    program = pikepdf.Stream(pdf, b"{ 2 copy mul 1 exch sub }", Dictionary(FunctionType=4))
    program.stream_dict.Domain = Array([0, 1, 0, 1])
    program.stream_dict.Range = Array([0, 1, 0, 1, 0, 1])
    common = {"ColorSpace": Name.DeviceRGB, "Extend": Array([True, True])}
    axial = Dictionary(ShadingType=2, Coords=Array([0, 0, 250, 0]), Function=stitched, **common)
    radial = Dictionary(
        ShadingType=3, Coords=Array([90, 90, 0, 90, 90, 80]), Function=fade, **common
    )
    plane = Dictionary(ShadingType=1, ColorSpace=Name.DeviceRGB, Function=program)
    plane.Matrix = Array([120, 0, 0, 120, 150, 280])
    shadings = Dictionary(A=axial, B=radial, C=plane)
    commands = b"q 0 200 298 60 re W n /A sh Q q 0 0 180 180 re W n /B sh Q /C sh"
    add_page(pdf, commands, Shading=shadings)


def _mesh(pdf: pikepdf.Pdf) -> None:
    points = [(0, 0, 255, 0, 0), (255, 0, 0, 255, 0), (128, 255, 0, 0, 255)]
    data = b"".join(bytes([0, x, y, red, green, blue]) for x, y, red, green, blue in points)
    mesh = pikepdf.Stream(
        pdf,
        data,
        Dictionary(
            ShadingType=4,
            ColorSpace=Name.DeviceRGB,
            BitsPerCoordinate=8,
            BitsPerComponent=8,
            BitsPerFlag=8,
            Decode=Array([0, 298, 0, 420, 0, 1, 0, 1, 0, 1]),
        ),
    )
    add_page(pdf, b"/M sh", Shading=Dictionary(M=pdf.make_indirect(mesh)))


def _patterns(pdf: pikepdf.Pdf) -> None:
    tile = pikepdf.Stream(pdf, b"0 0 8 8 re f 1 0 0 RG 8 8 m 16 16 l S")
    tile.stream_dict.update(
        Dictionary(
            Type=Name.Pattern,
            PatternType=1,
            PaintType=2,
            TilingType=1,
            BBox=Array([0, 0, 16, 16]),
            XStep=16,
            YStep=16,
            Resources=Dictionary(),
        )
    )
    fade = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1]), C1=Array([0]), N=1)
    shading = Dictionary(ShadingType=2, ColorSpace=Name.DeviceGray, Coords=Array([0, 0, 0, 300]))
    shading.Function = fade
    patterns = Dictionary(T=pdf.make_indirect(tile))
    patterns.S = Dictionary(Type=Name.Pattern, PatternType=2, Shading=shading)
    spaces = Dictionary(P=Array([Name.Pattern, Name.DeviceRGB]))
    commands = b"/P cs 0 0.4 0.8 /T scn 20 200 200 150 re f /Pattern cs /S scn 20 20 200 150 re f"
    add_page(pdf, commands, Pattern=patterns, ColorSpace=spaces)


def _colours(pdf: pikepdf.Pdf) -> None:
    tint = Dictionary(FunctionType=2, Domain=Array([0, 1]), N=1)
    tint.C0, tint.C1 = Array([0, 0, 0, 0]), Array([0, 1, 0.4, 0])
    spaces = Dictionary(
        Spot=Array([Name.Separation, Name.Rouge, Name.DeviceCMYK, tint]),
        Grey=Array([Name.CalGray, Dictionary(WhitePoint=Array([0.95, 1, 1.09]), Gamma=2.2)]),
        Lab=Array([Name.Lab, Dictionary(WhitePoint=Array([0.96, 1, 0.82]))]),
        Few=Array([Name.Indexed, Name.DeviceRGB, 1, String(b"\xff\x00\x00\x00\xff\x00")]),
    )
    commands = (
        b"/Spot cs 0.7 scn 20 20 60 60 re f /Grey cs 0.5 scn 100 20 60 60 re f"
        b" /Lab cs 60 40 -30 scn 180 20 60 60 re f /Few cs 1 sc 20 100 60 60 re f"
        b" 0.1 0.8 0.3 0 k 100 100 60 60 re f"
    )
    add_page(pdf, commands, ColorSpace=spaces)


def _transparency(pdf: pikepdf.Pdf) -> None:
    group = Dictionary(Type=Name.Group, S=Name.Transparency, CS=Name.DeviceRGB, I=True, K=True)
    inner = drawing(pdf, b"1 0 0 rg 0 0 70 70 re f 0 0 1 rg 30 30 70 70 re f", Group=group)
    mask = drawing(pdf, b"0.6 g 0 0 50 100 re f", Group=group)
    states = Dictionary(
        M=Dictionary(BM=Name.Multiply, ca=0.6, CA=0.5),
        S=Dictionary(SMask=Dictionary(Type=Name.Mask, S=Name.Luminosity, G=mask)),
        A=Dictionary(SMask=Dictionary(Type=Name.Mask, S=Name.Alpha, G=mask)),
    )
    commands = (
        b"0.8 1 0.5 rg 0 0 298 420 re f q /M gs 1 0 0 1 20 200 cm /I Do Q"
        b" q /S gs /I Do Q q 1 0 0 1 150 0 cm /A gs /I Do Q"
    )
    page = add_page(pdf, commands, XObject=Dictionary(I=inner), ExtGState=states)
    page.Group = Dictionary(Type=Name.Group, S=Name.Transparency, CS=Name.DeviceRGB)


def _glyphs(pdf: pikepdf.Pdf) -> None:
    form = drawing(pdf, b"0 0 300 300 re f")
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=Array([0, 0, 1000, 1000]),
        FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
        FirstChar=97,
        LastChar=98,
        Widths=Array([1000, 800]),
        Encoding=Dictionary(Type=Name.Encoding, Differences=Array([97, Name.box, Name.tri])),
        CharProcs=Dictionary(
            box=pdf.make_stream(b"1000 0 0 0 900 900 d1 0 0 900 900 re f"),
            tri=pdf.make_stream(b"800 0 d0 1 0 0 rg 0 0 m 700 0 l 350 700 l f /X Do"),
        ),
        Resources=Dictionary(XObject=Dictionary(X=form)),
    )
    page = add_page(pdf, b"BT /T 30 Tf 20 200 Td (abab) Tj ET")
    page.Resources.Font.T = pdf.make_indirect(font)


def _layers(
    *, base: str = "ON", off: tuple[int, ...] = (1,), member: str = "", view: str = ""
) -> Draw:
    def draw(pdf: pikepdf.Pdf) -> None:
        groups = [
            pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String(f"Layer {n}")))
            for n in range(3)
        ]
        properties = Dictionary({f"/L{n}": group for n, group in enumerate(groups)})
        commands = words("Layers", 390)
        for n in range(3):
            commands += f"/OC /L{n} BDC 0 0 {n / 2} rg 20 {60 + 70 * n} 80 50 re f EMC ".encode()
        if member:
            both = Array([groups[0], groups[1]])
            choice = Dictionary(Type=Name.OCMD, OCGs=both, P=Name("/" + member))
            properties.M = pdf.make_indirect(choice)
            commands += b"/OC /M BDC 1 0 0 rg 150 60 80 80 re f EMC "
        if view:
            groups[2].Usage = Dictionary(
                View=Dictionary(ViewState=Name("/" + view)),
                Print=Dictionary(PrintState=Name.ON, Subtype=Name.Watermark),
            )
        add_page(pdf, commands, Properties=properties)
        shown = Dictionary(
            BaseState=Name("/" + base),
            OFF=Array([groups[n] for n in off]),
            ON=Array([groups[0]]),
            Order=Array([groups[0], Array([String("More"), groups[1], groups[2]])]),
            Locked=Array([groups[0]]),
        )
        if view:
            shown.AS = Array(
                [Dictionary(Event=Name.View, Category=Array([Name.View]), OCGs=Array(groups))]
            )
        pdf.Root.OCProperties = Dictionary(OCGs=Array(groups), D=shown)

    return draw


def _drawing_in_layer(pdf: pikepdf.Pdf) -> None:
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Hidden stamp")))
    form = drawing(pdf, b"1 0 0 rg 0 0 100 100 re f", OC=layer)
    add_page(pdf, words("Stamp") + b"/X Do", XObject=Dictionary(X=form))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))


def _outlines(pdf: pikepdf.Pdf) -> None:
    pages = [add_page(pdf, words(f"Page {n}", 250), (210, 297)) for n in range(5)]
    with pdf.open_outline() as outline:
        for n, page in enumerate(pages):
            item = pikepdf.OutlineItem(f"Chapitre {n}", n)
            item.children.append(pikepdf.OutlineItem("Détail", n, "Fit"))
            outline.root.append(item)
            del page
    labels = Array([0, Dictionary(S=Name.r), 2, Dictionary(S=Name.D, St=1, P=String("A-"))])
    pdf.Root.PageLabels = Dictionary(Nums=labels)
    there = Dictionary(Names=Array([String("last"), Array([pages[4], Name.Fit])]))
    pdf.Root.Names = Dictionary(Dests=there)
    web = Dictionary(S=Name.URI, URI=String("https://example.org/aide"))
    links = [{"A": web}, {"Dest": String("last")}, {"Dest": Array([pages[2], Name.XYZ, 0, 90, 0])}]
    links.append({"A": Dictionary(S=Name.GoTo, D=String("last"))})
    links.append({"A": Dictionary(S=Name.Named, N=Name.NextPage)})
    pages[0].Annots = Array(
        [
            pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Link,
                    Rect=Array([20, 20 + 40 * n, 120, 50 + 40 * n]),
                    Border=Array([0, 0, 2]),
                    C=Array([0, 0, 1]),
                    **link,
                )
            )
            for n, link in enumerate(links)
        ]
    )


def _boxed(**entries: object) -> Draw:
    def draw(pdf: pikepdf.Pdf) -> None:
        page = add_page(pdf, words("Turned"))
        page.update(Dictionary(**entries))
        add_page(pdf, words("Second"))

    return draw


def _inherited(pdf: pikepdf.Pdf) -> None:
    """What a page takes from the node above it."""
    page = add_page(pdf, words("Above"))
    top = pdf.Root.Pages
    top.MediaBox, top.Resources, top.Rotate = page.MediaBox, page.Resources, 90
    del page["/MediaBox"], page["/Resources"]


def _sized(width: float, height: float, **entries: object) -> Draw:
    def draw(pdf: pikepdf.Pdf) -> None:
        page = add_page(pdf, b"0.2 0.3 0.9 rg 0 0 30 30 re f", (width, height))
        page.update(Dictionary(**entries))

    return draw


def _contents_in_parts(pdf: pikepdf.Pdf) -> None:
    page = add_page(pdf, b"")
    whole = words("In parts")
    parts = [whole[:12], whole[12:40], whole[40:]]
    page.Contents = Array([pdf.make_stream(part.rpartition(b" ")[0] or part) for part in parts])
    page.Contents = Array([pdf.make_stream(b"q"), pdf.make_stream(whole), pdf.make_stream(b"Q")])


def _many_pages(pdf: pikepdf.Pdf) -> None:
    for number in range(40):
        add_page(pdf, words(f"{number}", 90), (120, 120))


_DRAWINGS: dict[str, Draw] = {
    "standard fonts": _fonts,
    "shadings": _shadings,
    "mesh": _mesh,
    "patterns": _patterns,
    "colours": _colours,
    "transparency": _transparency,
    "drawn glyphs": _glyphs,
    "layer off": _layers(),
    "layers all off": _layers(base="OFF", off=()),
    "layers of members, any": _layers(member="AnyOn"),
    "layers of members, all": _layers(member="AllOn"),
    "layer off on screens": _layers(view="OFF", off=()),
    "drawing in a layer": _drawing_in_layer,
    "outlines and links": _outlines,
    "turned": _boxed(Rotate=90),
    "upside down": _boxed(Rotate=-180),
    "cropped": _boxed(CropBox=Array([20, 300, 200, 420])),
    "box not at zero": _boxed(MediaBox=Array([-50, 100, 250, 500])),
    "inherited": _inherited,
    "units": _sized(120, 90, UserUnit=2.5),
    "tiny": _sized(12, 9),
    "wide": _sized(2000, 60),
    "in parts": _contents_in_parts,
    "many pages": _many_pages,
}


def _made(draw: Draw) -> bytes:
    pdf = pikepdf.new()
    draw(pdf)
    return pdf_bytes(pdf)


MAKERS: dict[str, Callable[[], bytes]] = {
    name: (lambda draw=draw: _made(draw)) for name, draw in _DRAWINGS.items()
} | {"one of everything": rich}
