"""What attaches, fetches or hides in a PDF: files, forms of another kind, private keys of programs,
metadata."""

from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tests.vault.decoding.pdfs.actions import specification
from tests.vault.decoding.pdfs.files import FILES, HOLDERS, Carrier, attached, named, note_of
from tests.vault.decoding.pdfs.rich import PLACES, image_of, photo


def metadata(pdf: pikepdf.Pdf, canary: str) -> Object:
    """An XMP packet."""
    packet = (
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
        f"xmlns:dc='http://purl.org/dc/elements/1.1/' dc:creator='{canary}'/></rdf:RDF>"
        "</x:xmpmeta><?xpacket end='w'?>"
    )
    return pdf.make_indirect(pdf.make_stream(packet.encode(), Type=Name.Metadata, Subtype=Name.XML))


# --- forms of another kind ---


_TEMPLATE = (
    "<template><event><script>app.alert('@')</script><submit target='@'/></event></template>"
)


def _xfa(make: Callable[[pikepdf.Pdf, bytes], object], coding: str = "utf-8") -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        pdf.Root.AcroForm.XFA = make(pdf, _TEMPLATE.replace("@", canary).encode(coding))
        pdf.Root.NeedsRendering = True

    return plant


def _packets(pdf: pikepdf.Pdf, data: bytes) -> Array:
    whole = [data[:9], data[9:]]
    return Array([part for one in whole for part in (String("template"), pdf.make_stream(one))])


# --- private keys, metadata, and what else tells of people and programs ---


def private_key(place: str) -> Carrier:
    """A key that no specification names, with text, a stream and a name in it."""

    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        held = Dictionary(
            Author=String(canary), Data=pdf.make_stream(canary.encode()), N=Name("/" + canary)
        )
        PLACES[place](pdf)["/XXVN_Held"] = held
        PLACES[place](pdf)["/" + canary] = String(canary)

    return plant


def _metadata_in(place: str) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        PLACES[place](pdf).Metadata = metadata(pdf, canary)

    return plant


def _pieces_in(place: str) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        PLACES[place](pdf).PieceInfo = Dictionary(
            Illustrator=Dictionary(Private=Dictionary(Data=pdf.make_stream(canary.encode())))
        )
        PLACES[place](pdf).LastModified = String("D:20260101" + canary)

    return plant


def _information(key: str) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        pdf.trailer.Info = pdf.make_indirect(Dictionary({"/" + key: String(canary)}))

    return plant


def _root_entry(key: str, make: Callable[[pikepdf.Pdf, str], object]) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        pdf.Root["/" + key] = make(pdf, canary)

    return plant


def _thumbnail(pdf: pikepdf.Pdf, canary: str) -> None:
    pdf.pages[0].obj.Thumb = image_of(pdf, photo() + canary.encode())


def _thread(pdf: pikepdf.Pdf, canary: str) -> None:
    bead = pdf.make_indirect(Dictionary(Type=Name.Bead, R=Array([0, 0, 9, 9])))
    told = Dictionary(Author=String(canary), Title=String(canary))
    bead.T = pdf.make_indirect(Dictionary(Type=Name.Thread, F=bead, I=told))
    pdf.Root.Threads, pdf.pages[0].obj.B = Array([bead.T]), Array([bead])


def _author_of_remark(pdf: pikepdf.Pdf, canary: str) -> None:
    remark = PLACES["remark"](pdf)
    remark.T, remark.NM, remark.Subj = String(canary), String(canary), String("Note")
    remark.RC = String(f"<body><a href='https://{canary}.example/'>text</a></body>")
    popup = Dictionary(Type=Name.Annot, Subtype=Name.Popup, Rect=Array([0, 0, 9, 9]))
    popup.T = String(canary)
    remark.Popup = pdf.make_indirect(popup)
    remark.ExData = Dictionary(Type=Name.ExData, Subtype=Name.Markup3D, Held=String(canary))


def _user_properties(pdf: pikepdf.Pdf, canary: str) -> None:
    told = Dictionary(N=String("Author"), V=String(canary), H=True)
    PLACES["element"](pdf).A = Dictionary(O=Name.UserProperties, P=Array([told]))
    pdf.Root.MarkInfo.UserProperties = True


def _unreferenced(pdf: pikepdf.Pdf, canary: str) -> None:
    pdf.make_indirect(Dictionary(Secret=String(canary), S=Name.Launch))
    pdf.make_indirect(pdf.make_stream(canary.encode()))


def _trailer_entry(pdf: pikepdf.Pdf, canary: str) -> None:
    pdf.trailer["/XXVN_Held"] = Dictionary(Author=String(canary))
    pdf.trailer.ID = Array([String(canary), String(canary)])


def _postscript(pdf: pikepdf.Pdf, canary: str) -> None:
    program = pdf.make_stream(f"({canary}) print systemdict /quit get exec".encode())
    program.stream_dict.update(Dictionary(Type=Name.XObject, Subtype=Name.PS))
    pdf.pages[0].obj.Resources.XObject.PS = program
    PLACES["form"](pdf).update(Dictionary(Subtype2=Name.PS, PS=program))
    pdf.pages[0].contents_add(b"/PS Do")


def _by_subtype(subtype: str, **entries: Callable[[pikepdf.Pdf, str], object]) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        made = {key: make(pdf, canary) for key, make in entries.items()}
        note_of(pdf, subtype, **made)

    return plant


def _stream(pdf: pikepdf.Pdf, canary: str) -> Object:
    return pdf.make_indirect(pdf.make_stream(canary.encode() * 3))


def _assets(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    names = Array([String(canary), attached(pdf, canary)])
    return Dictionary(Type=Name.RichMediaContent, Assets=Dictionary(Names=names))


def _renditions(pdf: pikepdf.Pdf, canary: str) -> None:
    clip = Dictionary(S=Name.MCD, CT=String("audio/wav"), D=attached(pdf, canary))
    named(pdf, "/Renditions", Dictionary(S=Name.MR, C=clip), canary)


def _presentations(pdf: pikepdf.Pdf, canary: str) -> None:
    show = Dictionary(Type=Name.SlideShow, Subtype=Name.Embedded, StartResource=String(canary))
    named(pdf, "/AlternatePresentations", show, canary)


def _strange_names(pdf: pikepdf.Pdf, canary: str) -> None:
    named(pdf, "/Vendor", Dictionary(Held=String(canary)), canary)


def _measure(pdf: pikepdf.Pdf, canary: str) -> None:
    place = Dictionary(Type=Name.Measure, Subtype=Name.GEO, GPTS=Array([48, 2]), N=String(canary))
    view = Dictionary(Type=Name.Viewport, BBox=Array([0, 0, 9, 9]), Name=String(canary))
    view.Measure, view.PtData = place, Dictionary(Names=Array([String(canary)]))
    pdf.pages[0].obj.VP = Array([view])


def _separation(pdf: pikepdf.Pdf, canary: str) -> None:
    page = pdf.pages[0].obj
    page.SeparationInfo = Dictionary(DeviceColorant=String(canary), Pages=Array([page]))
    page.PresSteps = Dictionary(Type=Name.NavNode, NA=Dictionary(S=Name.Launch, F=String(canary)))


def _number_of(place: str, key: str) -> Carrier:
    """A key that stays, with a dictionary where a plain value belongs."""

    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        PLACES[place](pdf)["/" + key] = Dictionary(Held=String(canary), S=Name("/Other"))

    return plant


def _requirement(pdf: pikepdf.Pdf, canary: str) -> Array:
    handler = Dictionary(Type=Name.ReqHandler, S=Name.JS, Script=String(canary))
    return Array([Dictionary(Type=Name.Requirement, S=Name.EnableJavaScripts, RH=handler)])


def _vendor(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    return Dictionary(ADBE=Dictionary(BaseVersion=Name("/1.7"), URL=String(canary)))


_WITH_METADATA = ("catalog", "page", "form", "image", "descriptor", "profile", "inner_form", "look")
_INFORMATION = ("Title", "Author", "Subject", "Keywords", "Creator", "Producer", "XXVN_Held")
_PLAIN = (("page", "Rotate"), ("catalog", "Lang"), ("outline_item", "Title"), ("field", "T"))
_PLAIN += (("mark_info", "Marked"), ("layer", "Name"), ("font", "BaseFont"), ("link", "Border"))

CARRIERS: dict[str, Carrier] = {
    **FILES,
    "XFA": _xfa(lambda pdf, data: pdf.make_stream(data)),
    "XFA in packets": _xfa(_packets),
    "XFA in UTF-16": _xfa(lambda pdf, data: pdf.make_stream(data), "utf-16"),
    "XFA as text": _xfa(lambda _, data: String(data)),
    **{f"private key in {place}": private_key(place) for place in PLACES},
    **{f"metadata of {place}": _metadata_in(place) for place in _WITH_METADATA},
    **{f"pieces of {place}": _pieces_in(place) for place in HOLDERS},
    **{f"information {key}": _information(key) for key in _INFORMATION},
    "legal": _root_entry("Legal", lambda _, canary: Dictionary(Attestation=String(canary))),
    "requirements": _root_entry("Requirements", _requirement),
    "extensions": _root_entry("Extensions", _vendor),
    "document parts": _root_entry("DPartRoot", lambda _, canary: Dictionary(N=String(canary))),
    "thumbnail": _thumbnail,
    "threads": _thread,
    "author of a remark": _author_of_remark,
    "user properties": _user_properties,
    "unreferenced objects": _unreferenced,
    "trailer": _trailer_entry,
    "PostScript": _postscript,
    "rich media": _by_subtype("RichMedia", RichMediaContent=_assets),
    "3D": _by_subtype("3D", TDD=_stream, **{"3DD": _stream}),
    "sound": _by_subtype("Sound", Sound=_stream),
    "movie": _by_subtype("Movie", Movie=lambda _, canary: Dictionary(F=specification(canary))),
    "projection": _by_subtype("Projection", ExData=_vendor),
    "trap network": _by_subtype("TrapNet", Version=_requirement),
    "printer's mark": _by_subtype("PrinterMark", MN=lambda _, canary: Name("/" + canary)),
    "annotation of a vendor": _by_subtype("Vendor", Held=_stream),
    "renditions": _renditions,
    "presentations": _presentations,
    "names of a vendor": _strange_names,
    "places on a map": _measure,
    "separations and steps": _separation,
    **{f"dictionary as {key} of {place}": _number_of(place, key) for place, key in _PLAIN},
}
