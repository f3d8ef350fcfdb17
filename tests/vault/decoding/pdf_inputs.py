"""PDFs whose root says much: forms, layers, tags, other files; and PDFs to be mended."""

import io
import re

import img2pdf
import pikepdf
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.vault.decoding.corpus import blank_pdf, pdf_bytes, phone_jpeg, plain_jpeg

FIELD = (100.0, 600.0, 320.0, 660.0)
"""Where the form's field is: left, bottom, right, top, in points."""
BOX = (100.0, 400.0, 140.0, 440.0)
STAMP = (100.0, 300.0, 200.0, 340.0)
FIELD_TEXT = "AMINA 1990"


Rectangle = tuple[float, float, float, float]


def drawing(pdf: pikepdf.Pdf, commands: bytes, **entries: object) -> pikepdf.Object:
    """A form XObject of 220 × 60 points."""
    entries = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": Array([0, 0, 220, 60])} | entries
    return pdf.make_indirect(pdf.make_stream(commands, **entries))


def _field(pdf: pikepdf.Pdf, kind: Name, name: str, rect: Rectangle) -> Dictionary:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=kind, T=String(name), Rect=Array(rect), F=4
        )
    )


def form_pdf(*, looks: bool = True, asks_for_looks: bool = False) -> bytes:
    """A filled field, a ticked box, and a signature field with its stamp."""
    pdf = blank_pdf(1)
    font = pdf.make_indirect(
        Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    )
    fonts = Dictionary(Font=Dictionary(Helv=font))
    text = _field(pdf, Name.Tx, "name", FIELD)
    text.V, text.DA = String(FIELD_TEXT), String("/Helv 30 Tf 0 g")
    if looks:
        shown = f"/Tx BMC BT /Helv 30 Tf 0 g 5 15 Td ({FIELD_TEXT}) Tj ET EMC".encode()
        text.AP = Dictionary(N=drawing(pdf, shown, Resources=fonts))
    box = _field(pdf, Name.Btn, "agreed", BOX)
    box.V, box.AS = Name.Yes, Name.Yes
    ticked = drawing(pdf, b"0 g 0 0 220 60 re f")
    box.AP = Dictionary(N=Dictionary(Yes=ticked, Off=drawing(pdf, b"")))
    stamp = _field(pdf, Name.Sig, "signature", STAMP)
    stamp.AP = Dictionary(N=drawing(pdf, b"0 g 0 0 220 60 re f"))
    stamp.V = pdf.make_indirect(Dictionary(Type=Name.Sig, ByteRange=Array([0, 1, 2, 3])))
    fields = Array([text, box, stamp])
    pdf.pages[0].obj.Annots = fields
    pdf.Root.AcroForm = Dictionary(Fields=fields, DR=fonts, DA=String("/Helv 0 Tf 0 g"))
    if asks_for_looks:
        pdf.Root.AcroForm.NeedAppearances = True
    return pdf_bytes(pdf)


def layered_pdf() -> bytes:
    """A black square on a layer that is switched off."""
    pdf = blank_pdf(1)
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("secret")))
    pdf.Root.OCProperties = Dictionary(
        OCGs=Array([layer]), D=Dictionary(OFF=Array([layer]), Order=Array([layer]))
    )
    pdf.pages[0].obj.Resources.Properties = Dictionary(L=layer)
    pdf.pages[0].contents_add(b"/OC /L BDC 0 g 100 600 220 60 re f EMC")
    return pdf_bytes(pdf)


def tagged_pdf(pages: int) -> bytes:
    """Each page has one paragraph, which the tree of tags and the parent tree lead to."""
    pdf = blank_pdf(pages)
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    numbers: list[object] = []
    root.K = Array()
    for number, page in enumerate(pdf.pages):
        page.obj.StructParents = number
        page.contents_add(b"/P <</MCID 0>> BDC 0 0 9 9 re f EMC")
        paragraph = pdf.make_indirect(
            Dictionary(Type=Name.StructElem, S=Name.P, P=root, Pg=page.obj, K=0)
        )
        paragraph.Alt = String(f"paragraph {number}")
        root.K.append(paragraph)
        numbers += [number, Array([paragraph])]
    root.ParentTree = pdf.make_indirect(Dictionary(Nums=Array(numbers)))
    pdf.Root.StructTreeRoot, pdf.Root.MarkInfo = root, Dictionary(Marked=True)
    pdf.Root.Lang = String("fr-FR")
    return pdf_bytes(pdf)


def dynamic_form_pdf() -> bytes:
    """A form that only one program draws; others show its only page, which asks to wait."""
    pdf = blank_pdf(1)
    script = "<template><script>app.alert(1)</script></template>".encode("utf-16")
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=pdf.make_stream(script))
    pdf.Root.NeedsRendering = True
    return pdf_bytes(pdf)


def portfolio_pdf() -> bytes:
    """Two papers behind a cover."""
    pdf = blank_pdf(1)
    pdf.attachments["pay-1.pdf"] = b"%PDF-1.7 first"
    pdf.attachments["pay-2.pdf"] = b"%PDF-1.7 second"
    pdf.Root.Collection = Dictionary(Type=Name.Collection, View=Name.T)
    return pdf_bytes(pdf)


def photo_pdf(data: bytes | None = None) -> bytes:
    """A scan: one photo on one page."""
    made: bytes = img2pdf.convert([plain_jpeg() if data is None else data])
    return made


def located_photo_pdf() -> bytes:
    """The photo is put in as a phone made it: with its place, its maker and a film."""
    with pikepdf.open(io.BytesIO(photo_pdf())) as pdf:
        (image,) = pdf.pages[0].obj.Resources.XObject.values()
        image.write(phone_jpeg(1), filter=Name.DCTDecode)
        return pdf_bytes(pdf)


def classic_pdf(pages: int = 2) -> bytes:
    """Written with a table and a trailer, as older programs do."""
    return pdf_bytes(
        blank_pdf(pages), object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True
    )


def launching_by_reference_pdf() -> bytes:
    """Starts a program; the action's type is an object of its own."""
    whole = classic_pdf(1)
    kind = b"/OpenAction << /S 90 0 R /F (cmd.exe) >>"
    made = whole.replace(b"/Type /Catalog", kind + b" /Type /Catalog", 1)
    return made.replace(b"\nxref\n", b"\n90 0 obj\n/Launch\nendobj\nxref\n", 1)


def appended_signature(data: bytes) -> bytes:
    """A revision that only adds: a signature field on the first page."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    value = generic.DictionaryObject({generic.pdf_name("/Type"): generic.pdf_name("/Sig")})
    value[generic.pdf_name("/ByteRange")] = generic.ArrayObject(map(generic.NumberObject, range(4)))
    field = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Widget"),
            generic.pdf_name("/FT"): generic.pdf_name("/Sig"),
            generic.pdf_name("/T"): generic.pdf_string("signature"),
            generic.pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(0)] * 4),
            generic.pdf_name("/V"): writer.add_object(value),
        }
    )
    held = writer.add_object(field)
    page = writer.root["/Pages"]["/Kids"][0]
    page[generic.pdf_name("/Annots")] = generic.ArrayObject([held])
    writer.mark_update(page.container_ref)
    form = generic.DictionaryObject({generic.pdf_name("/Fields"): generic.ArrayObject([held])})
    writer.root[generic.pdf_name("/AcroForm")] = form
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def revised_pdf() -> bytes:
    """A second revision paints over what the first one shows."""
    whole = classic_pdf(1)
    found = re.search(rb"/Contents (\d+) 0 R", whole)
    assert found is not None
    number = int(found[1])
    offset = len(whole)
    changed = b"%d 0 obj\n<< /Length 2 >>\nstream\nq\n\nendstream\nendobj\n" % number
    start = whole[whole.rindex(b"startxref") + 9 :].split()[0]
    size = re.search(rb"/Size (\d+)", whole)
    root = re.search(rb"/Root (\d+ 0 R)", whole)
    assert size is not None
    assert root is not None
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %s /Root %s /Prev %s >>\n" % (
        *(number, offset, size[1], root[1], start),
    )
    end = b"startxref\n%d\n%%%%EOF\n" % (offset + len(changed))
    return whole + changed + table + end
