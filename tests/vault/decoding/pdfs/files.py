"""Files inside a PDF, and files outside that it fetches."""

from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tests.vault.decoding.pdfs.actions import specification
from tests.vault.decoding.pdfs.rich import PLACES, image_of, photo

Carrier = Callable[[pikepdf.Pdf, str], None]
HOLDERS = ("catalog", "page", "form", "image", "inner_form", "look", "pattern", "element")


def attached(pdf: pikepdf.Pdf, canary: str, **entries: object) -> Dictionary:
    """A file specification that holds its file."""
    held = pdf.make_indirect(pdf.make_stream(canary.encode() * 9, Type=Name.EmbeddedFile))
    return specification(canary, EF=Dictionary(F=held, **entries), Desc=String(canary))


def named(pdf: pikepdf.Pdf, name: str, value: Object, canary: str) -> None:
    """Puts a value into a tree of names."""
    pdf.Root.Names[name] = Dictionary(Names=Array([String(canary), value]))


# --- files inside ---


def _embedded(pdf: pikepdf.Pdf, canary: str) -> None:
    named(pdf, "/EmbeddedFiles", attached(pdf, canary), canary)


def _embedded_with_one_more_key(pdf: pikepdf.Pdf, canary: str) -> None:
    named(pdf, "/EmbeddedFiles", attached(pdf, canary, Xx=String("more")), canary)


def _embedded_for_one_system(pdf: pikepdf.Pdf, canary: str) -> None:
    spec = attached(pdf, canary)
    spec.EF = Dictionary(Mac=spec.EF.F)
    del spec["/F"], spec["/UF"], spec["/Type"]
    named(pdf, "/EmbeddedFiles", spec, canary)


def _embedded_deep(pdf: pikepdf.Pdf, canary: str) -> None:
    leaf = Dictionary(Names=Array([String("a"), attached(pdf, canary)]))
    pdf.Root.Names.EmbeddedFiles = Dictionary(Kids=Array([Dictionary(Kids=Array([leaf]))]))


def _related(pdf: pikepdf.Pdf, canary: str) -> None:
    other = pdf.make_stream(canary.encode(), Type=Name.EmbeddedFile)
    spec = attached(pdf, canary)
    spec.RF = Dictionary(F=Array([String(canary), other]))
    named(pdf, "/EmbeddedFiles", spec, canary)


def note_of(pdf: pikepdf.Pdf, subtype: str, **entries: object) -> None:
    """Puts an annotation on the second page."""
    note = Dictionary(
        Type=Name.Annot, Subtype=Name("/" + subtype), Rect=Array([0, 0, 9, 9]), **entries
    )
    pdf.pages[1].obj.Annots = Array([pdf.make_indirect(note)])


def _attachment(pdf: pikepdf.Pdf, canary: str) -> None:
    note_of(pdf, "FileAttachment", FS=attached(pdf, canary), Contents=String(canary))


def _attachment_of_link(pdf: pikepdf.Pdf, canary: str) -> None:
    note_of(pdf, "Link", FS=attached(pdf, canary), EF=Dictionary(F=String(canary)))


def _associated(place: str) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        PLACES[place](pdf).AF = Array([attached(pdf, canary, Zz=1)])

    return plant


def _associated_with_content(pdf: pikepdf.Pdf, canary: str) -> None:
    page = pdf.pages[0]
    page.obj.Resources.Properties.F = Array([attached(pdf, canary)])
    page.contents_add(b"/AF /F BDC 0 0 5 5 re f EMC")


def _property_list(pdf: pikepdf.Pdf, canary: str) -> None:
    page = pdf.pages[0]
    page.obj.Resources.Properties.V = pdf.make_indirect(
        Dictionary(ActualText=String("x"), Vendor=String(canary), AF=attached(pdf, canary))
    )
    page.contents_add(b"/Span /V BDC 0 0 5 5 re f EMC")


def _portfolio(pdf: pikepdf.Pdf, canary: str) -> None:
    navigator = Dictionary(
        Type=Name.Navigator,
        Name=String(canary),
        Resources=Dictionary(Names=Array([String("a"), pdf.make_stream(canary.encode())])),
    )
    pdf.Root.Collection = Dictionary(Type=Name.Collection, D=String(canary), Navigator=navigator)
    _embedded(pdf, canary)


# --- files outside ---


def _external_stream(place: str) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        held = PLACES[place](pdf)
        held.F = Dictionary(FS=Name.URL, F=String(f"https://{canary}.example/a"))
        held.FFilter, held.FDecodeParms = Name.FlateDecode, Dictionary(Held=String(canary))

    return plant


def _reference_drawing(pdf: pikepdf.Pdf, canary: str) -> None:
    reference = Dictionary(F=specification(f"\\\\{canary}\\share\\a.pdf"), Page=0)
    PLACES["form"](pdf).Ref = reference


def _opi(place: str) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        file = Dictionary(Type=Name.OPI, Version=1.3, F=specification(canary), CropRect=Array([]))
        PLACES[place](pdf).OPI = Dictionary({"/1.3": file})

    return plant


def _alternates(pdf: pikepdf.Pdf, canary: str) -> None:
    other = image_of(pdf, photo() + canary.encode(), F=specification(canary))
    PLACES["image"](pdf).Alternates = Array([Dictionary(Image=other, DefaultForPrinting=True)])


def _capture(pdf: pikepdf.Pdf, canary: str) -> None:
    command = Dictionary(URL=String(f"https://{canary}.example/"), L=1, P=String(canary))
    pdf.Root.SpiderInfo = Dictionary(V=1.0, C=Array([command]))
    source = Dictionary(AU=String(f"https://{canary}.example/"), C=command)
    pages = Dictionary(Type=Name.SpiderContentSet, S=Name.SPS, O=Array([]), SI=source)
    named(pdf, "/URLS", pages, canary)
    named(pdf, "/IDS", pages, canary)
    pdf.pages[0].obj.ID = String(canary)


def _base_address(pdf: pikepdf.Pdf, canary: str) -> None:
    pdf.Root.URI = Dictionary(Base=String(f"https://{canary}.example/"))


def _signature(pdf: pikepdf.Pdf, canary: str) -> None:
    field = PLACES["field"](pdf)
    field.FT = Name.Sig
    field.V = pdf.make_indirect(
        Dictionary(
            Type=Name.Sig,
            Filter=Name("/Adobe.PPKLite"),
            SubFilter=Name("/adbe.pkcs7.detached"),
            ByteRange=Array([0, 1, 2, 3]),
            Contents=String(canary),
            Name=String(canary),
            ContactInfo=String(canary),
            Prop_Build=Dictionary(App=Dictionary(Name=Name("/" + canary))),
            Reference=Array([Dictionary(TransformMethod=Name.DocMDP, Data=specification(canary))]),
        )
    )
    field.SV = Dictionary(Type=Name.SV, URL=String(f"https://{canary}.example/"))
    field.Lock = Dictionary(Type=Name.SigFieldLock, Fields=Array([String(canary)]))


def _permissions(pdf: pikepdf.Pdf, canary: str) -> None:
    pdf.Root.Perms = Dictionary(UR3=Dictionary(Type=Name.Sig, Contents=String(canary)))


def _validation_data(pdf: pikepdf.Pdf, canary: str) -> None:
    pdf.Root.DSS = Dictionary(Certs=Array([pdf.make_stream(canary.encode())]))


def _output_intent(pdf: pikepdf.Pdf, canary: str) -> None:
    outside = Dictionary(URLs=Array([Dictionary(FS=Name.URL, F=String(canary))]))
    pdf.Root.OutputIntents = Array(
        [
            Dictionary(
                Type=Name.OutputIntent,
                S=Name.GTS_PDFX,
                OutputConditionIdentifier=String("sRGB"),
                Vendor=String(canary),
                DestOutputProfileRef=outside,
            )
        ]
    )


def _namespace(pdf: pikepdf.Pdf, canary: str) -> None:
    schema = Dictionary(Type=Name.Namespace, NS=String("urn:a"), Schema=specification(canary))
    structure = pdf.Root.StructTreeRoot
    structure.Namespaces = Array([pdf.make_indirect(schema)])
    structure.PronunciationLexicon = Array([attached(pdf, canary)])


_STREAMS = ("content", "form", "image", "look", "profile", "glyph", "character_map", "pattern")

FILES: dict[str, Carrier] = {
    "embedded file": _embedded,
    "embedded file with one more key": _embedded_with_one_more_key,
    "embedded file for one system": _embedded_for_one_system,
    "embedded file, deep": _embedded_deep,
    "related files": _related,
    "attachment": _attachment,
    "attachment of a link": _attachment_of_link,
    **{f"associated with {place}": _associated(place) for place in (*HOLDERS, "structure")},
    "associated with content": _associated_with_content,
    "property list": _property_list,
    "portfolio": _portfolio,
    **{f"data outside of {place}": _external_stream(place) for place in _STREAMS},
    "drawing of another file": _reference_drawing,
    **{f"prepress file of {place}": _opi(place) for place in ("form", "image", "look")},
    "alternate images": _alternates,
    "web capture": _capture,
    "base address": _base_address,
    "signature": _signature,
    "permissions": _permissions,
    "validation data": _validation_data,
    "output intent": _output_intent,
    "namespace": _namespace,
}
