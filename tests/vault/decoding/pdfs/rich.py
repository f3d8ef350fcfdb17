"""A harmless PDF that has one of everything a page can be made of, so that hostile content can be
planted in each; `PLACES` finds every dictionary of it by name."""

import io
from collections.abc import Callable
from functools import cache

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String
from PIL import Image, ImageCms

from tests.vault.decoding.corpus import pdf_bytes


@cache
def colour_profile() -> bytes:
    """A real ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@cache
def photo() -> bytes:
    """A small JPEG without metadata."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((24, 16)).convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def image_of(pdf: pikepdf.Pdf, data: bytes, **entries: object) -> pikepdf.Stream:
    """An image XObject of a JPEG of 24 × 16 pixels."""
    image = pikepdf.Stream(pdf, data)
    image.stream_dict.update(
        Dictionary(
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=24,
            Height=16,
            BitsPerComponent=8,
            ColorSpace=Name.DeviceRGB,
            Filter=Name.DCTDecode,
            **entries,
        )
    )
    return pdf.make_indirect(image)


def drawing(pdf: pikepdf.Pdf, commands: bytes, **entries: object) -> pikepdf.Stream:
    """A form XObject of 100 × 100 points."""
    form = pikepdf.Stream(pdf, commands)
    form.stream_dict.update(
        Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 100, 100]), **entries)
    )
    return pdf.make_indirect(form)


def _composite_font(pdf: pikepdf.Pdf) -> Object:
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=Name.Helvetica,
        Flags=32,
        FontBBox=Array([0, -200, 1000, 900]),
        ItalicAngle=0,
        Ascent=900,
        Descent=-200,
        CapHeight=700,
        StemV=80,
    )
    wide = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=Name.Helvetica,
        CIDSystemInfo=Dictionary(
            Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0
        ),
        FontDescriptor=pdf.make_indirect(descriptor),
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name.Helvetica,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(wide)]),
            ToUnicode=pdf.make_stream(b"/CIDInit /ProcSet findresource begin end"),
        )
    )


def _fonts(pdf: pikepdf.Pdf) -> Dictionary:
    plain = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type1,
        BaseFont=Name.Helvetica,
        Encoding=Dictionary(Type=Name.Encoding, BaseEncoding=Name.WinAnsiEncoding),
    )
    glyph = pdf.make_stream(b"500 0 0 0 500 500 d1 0 0 500 500 re f")
    drawn = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=Array([0, 0, 500, 500]),
        FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
        FirstChar=97,
        LastChar=97,
        Widths=Array([500]),
        Encoding=Dictionary(Differences=Array([97, Name.a])),
        CharProcs=Dictionary(a=glyph),
        Resources=Dictionary(XObject=Dictionary(X=drawing(pdf, b"0 0 9 9 re f"))),
    )
    both = {"F1": pdf.make_indirect(plain), "F2": pdf.make_indirect(drawn)}
    return Dictionary(**both, F3=_composite_font(pdf))


def _tile(pdf: pikepdf.Pdf) -> Object:
    tile = pdf.make_stream(b"0 0 5 5 re f")
    tile.stream_dict.update(
        Dictionary(
            Type=Name.Pattern,
            PatternType=1,
            PaintType=1,
            TilingType=1,
            BBox=Array([0, 0, 10, 10]),
            XStep=10,
            YStep=10,
            Resources=Dictionary(XObject=Dictionary(X=drawing(pdf, b"0 0 4 4 re f"))),
        )
    )
    return tile


def _fade() -> Dictionary:
    function = Dictionary(FunctionType=2, Domain=Array([0, 1]), N=1)
    function.C0, function.C1 = Array([1, 0, 0]), Array([0, 0, 1])
    shading = Dictionary(ShadingType=2, ColorSpace=Name.DeviceRGB, Function=function)
    shading.Coords = Array([0, 0, 100, 0])
    return shading


def _resources(pdf: pikepdf.Pdf) -> Dictionary:
    profile = pdf.make_stream(colour_profile(), N=3)
    mask = drawing(pdf, b"1 g 0 0 100 100 re f", Group=_group())
    inner = Dictionary(XObject=Dictionary(X=drawing(pdf, b"0 1 0 rg 0 0 9 9 re f")))
    form = drawing(pdf, b"/X Do 1 0 0 rg 20 20 50 50 re f", Resources=inner, Group=_group())
    shown = Dictionary(View=Dictionary(ViewState=Name.ON))
    layer = Dictionary(Type=Name.OCG, Name=String("Layer"), Usage=shown)
    state = Dictionary(Type=Name.ExtGState, ca=0.5)
    state.SMask = Dictionary(Type=Name.Mask, S=Name.Luminosity, G=mask)
    return Dictionary(
        Font=_fonts(pdf),
        XObject=Dictionary(Form=form, Photo=image_of(pdf, photo())),
        ColorSpace=Dictionary(C=Array([Name.ICCBased, profile])),
        ExtGState=Dictionary(G=state),
        Pattern=Dictionary(P=_tile(pdf)),
        Shading=Dictionary(Sh=_fade()),
        Properties=Dictionary(L=pdf.make_indirect(layer)),
    )


def _group() -> Dictionary:
    return Dictionary(Type=Name.Group, S=Name.Transparency, CS=Name.DeviceRGB)


_CONTENT = (
    b"BT /F1 24 Tf 72 500 Td (Attestation) Tj ET BT /F2 20 Tf 72 450 Td (a) Tj ET"
    b" /C cs 0.2 0.4 0.6 sc 50 700 100 60 re f q 1 0 0 1 200 600 cm /Form Do Q"
    b" q 96 0 0 64 320 600 cm /Photo Do Q q /G gs 0 0 1 rg 50 300 100 60 re f Q"
    b" /Pattern cs /P scn 200 300 100 60 re f q 320 300 100 60 re W n 1 0 0 1 320 300 cm /Sh sh Q"
    b" /OC /L BDC 0 g 50 200 30 30 re f EMC /P <</MCID 0>> BDC 90 200 30 30 re f EMC"
)


def _annotations(pdf: pikepdf.Pdf, page: Dictionary) -> dict[str, Dictionary]:
    def held(subtype: str, at: int, **entries: object) -> Dictionary:
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name("/" + subtype),
                Rect=Array([at, 50, at + 40, 70]),
                P=page,
                F=4,
                **entries,
            )
        )

    look = Dictionary(N=drawing(pdf, b"0.9 g 0 0 100 100 re f", Resources=Dictionary()))
    web = Dictionary(S=Name.URI, URI=String("https://example.org/"))
    link = held("Link", 20, A=web, Border=Array([0, 0, 0]))
    text = held("Square", 80, Contents=String("A remark"), AP=look, BS=Dictionary(W=1))
    parent = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("person")))
    kid = held("Widget", 140, AP=look, MK=Dictionary(BG=Array([1])), Parent=parent)
    parent.Kids = Array([kid])
    merged = held("Widget", 200, FT=Name.Tx, T=String("town"), V=String("Lyon"), AP=look)
    return {"link": link, "text": text, "parent": parent, "kid": kid, "field": merged}


def _structure(pdf: pikepdf.Pdf, page: Dictionary) -> Dictionary:
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    paragraph = pdf.make_indirect(
        Dictionary(
            Type=Name.StructElem,
            S=Name.P,
            P=root,
            Pg=page,
            K=Array([Dictionary(Type=Name.MCR, Pg=page, MCID=0)]),
            A=Dictionary(O=Name.Layout, Placement=Name.Block),
            Alt=String("A square"),
        )
    )
    root.K = Array([paragraph])
    root.ParentTree = Dictionary(Nums=Array([0, Array([paragraph])]))
    root.RoleMap = Dictionary(Para=Name.P)
    return root


def _fill(pdf: pikepdf.Pdf) -> None:
    for _ in range(2):
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, 595, 842]),
            Resources=_resources(pdf),
            Contents=pdf.make_stream(_CONTENT),
            StructParents=0,
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        del page
    first, root = pdf.pages[0].obj, pdf.Root
    notes = _annotations(pdf, first)
    first.Annots = Array([notes["link"], notes["text"], notes["kid"], notes["field"]])
    first.Group = _group()
    root.AcroForm = Dictionary(Fields=Array([notes["parent"], notes["field"]]))
    root.AcroForm.DA = String("/Helv 0 Tf 0 g")
    there = Array([first, Name.Fit])
    item = pdf.make_indirect(Dictionary(Title=String("Start"), Dest=there))
    root.Outlines = pdf.make_indirect(Dictionary(First=item, Last=item, Count=1))
    item.Parent = root.Outlines
    tree = Dictionary(Names=Array([String("start"), Dictionary(D=there)]))
    root.Names = Dictionary(Dests=tree)
    root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.D)]))
    layer = first.Resources.Properties.L
    root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(ON=Array([layer])))
    root.StructTreeRoot, root.MarkInfo = _structure(pdf, first), Dictionary(Marked=True)
    root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    root.Lang = String("fr-FR")


@cache
def rich() -> bytes:
    """The file; open it anew to plant something."""
    made = pikepdf.new()
    _fill(made)
    return pdf_bytes(made, static_id=True)


Place = Callable[[pikepdf.Pdf], Object]


def _page_path(path: str) -> Place:
    def find(pdf: pikepdf.Pdf) -> Object:
        found: Object = pdf.pages[0].obj
        for step in path.split():
            found = found[int(step) if step.isdigit() else "/" + step]
        return found.stream_dict if isinstance(found, pikepdf.Stream) else found

    return find


def _root_path(path: str) -> Place:
    def find(pdf: pikepdf.Pdf) -> Object:
        found: Object = pdf.Root
        for step in path.split():
            found = found[int(step) if step.isdigit() else "/" + step]
        return found.stream_dict if isinstance(found, pikepdf.Stream) else found

    return find


_PAGE = """page= resources=Resources content=Contents group=Group
 font=Resources.Font.F1 encoding=Resources.Font.F1.Encoding type3=Resources.Font.F2
 glyph=Resources.Font.F2.CharProcs.a glyph_resources=Resources.Font.F2.Resources
 composite_font=Resources.Font.F3 character_map=Resources.Font.F3.ToUnicode
 descendant=Resources.Font.F3.DescendantFonts.0
 cid_system=Resources.Font.F3.DescendantFonts.0.CIDSystemInfo
 descriptor=Resources.Font.F3.DescendantFonts.0.FontDescriptor
 form=Resources.XObject.Form form_resources=Resources.XObject.Form.Resources
 inner_form=Resources.XObject.Form.Resources.XObject.X form_group=Resources.XObject.Form.Group
 image=Resources.XObject.Photo profile=Resources.ColorSpace.C.1 state=Resources.ExtGState.G
 soft_mask=Resources.ExtGState.G.SMask mask_drawing=Resources.ExtGState.G.SMask.G
 pattern=Resources.Pattern.P pattern_resources=Resources.Pattern.P.Resources
 shading=Resources.Shading.Sh function=Resources.Shading.Sh.Function
 layer=Resources.Properties.L layer_usage=Resources.Properties.L.Usage
 link=Annots.0 link_action=Annots.0.A remark=Annots.1 remark_border=Annots.1.BS
 remark_looks=Annots.1.AP look=Annots.1.AP.N look_resources=Annots.1.AP.N.Resources
 kid=Annots.2 kid_colours=Annots.2.MK field=Annots.3 parent_field=Annots.2.Parent"""
_ROOT = """catalog= pages=Pages names=Names destinations=Names.Dests
 destination=Names.Dests.Names.1 outline=Outlines outline_item=Outlines.First
 labels=PageLabels label=PageLabels.Nums.1 layers=OCProperties layer_view=OCProperties.D
 acroform=AcroForm structure=StructTreeRoot element=StructTreeRoot.K.0
 marked_content=StructTreeRoot.K.0.K.0 attributes=StructTreeRoot.K.0.A
 parent_tree=StructTreeRoot.ParentTree role_map=StructTreeRoot.RoleMap
 mark_info=MarkInfo viewer=ViewerPreferences"""


def _table(text: str, make: Callable[[str], Place]) -> dict[str, Place]:
    pairs = (entry.partition("=") for entry in text.split())
    return {name: make(path.replace(".", " ")) for name, _, path in pairs}


PLACES: dict[str, Place] = _table(_PAGE, _page_path) | _table(_ROOT, _root_path)
"""Every kind of dictionary that a rewritten file may keep."""
