"""Where more can be hidden: pages of no tree, drawings that nothing draws, arrays and images that
are longer than they say, and what layers, fields and inks may tell of people."""

import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tests.vault.decoding.pdfs.files import Carrier, named
from tests.vault.decoding.pdfs.rich import PLACES, drawing, image_of, photo


def _page_of_no_tree(pdf: pikepdf.Pdf, canary: str) -> Object:
    """A page that no reader shows, with a text of its own."""
    content = pdf.make_stream(f"BT /F1 12 Tf ({canary}) Tj ET".encode())
    page = Dictionary(Type=Name.Page, MediaBox=Array([0, 0, 9, 9]), Contents=content)
    page.Parent = pdf.Root.Pages
    return pdf.make_indirect(page)


def _destination(pdf: pikepdf.Pdf, canary: str) -> None:
    pdf.Root.Outlines.First.Dest = Array([_page_of_no_tree(pdf, canary), Name.Fit])


def _named_destination(pdf: pikepdf.Pdf, canary: str) -> None:
    named(pdf, "/Dests", Array([_page_of_no_tree(pdf, canary), Name.Fit]), "there")


def _page_of_a_link(pdf: pikepdf.Pdf, canary: str) -> None:
    PLACES["link"](pdf).P = _page_of_no_tree(pdf, canary)


def _page_of_an_element(pdf: pikepdf.Pdf, canary: str) -> None:
    PLACES["element"](pdf).Pg = _page_of_no_tree(pdf, canary)
    PLACES["marked_content"](pdf).Pg = _page_of_no_tree(pdf, canary)


def _other_tree(pdf: pikepdf.Pdf, canary: str) -> None:
    """The node above a page is not the one that lists it, and lists another."""
    other = Dictionary(Type=Name.Pages, Kids=Array([_page_of_no_tree(pdf, canary)]), Count=1)
    other.MediaBox = Array([0, 0, 595, 842])
    pdf.pages[1].obj.Parent = pdf.make_indirect(other)


def _action_to_nowhere(pdf: pikepdf.Pdf, canary: str) -> None:
    there = Array([_page_of_no_tree(pdf, canary), Name.Fit])
    PLACES["link"](pdf).A = Dictionary(S=Name.GoTo, D=there)


def _undrawn_form(pdf: pikepdf.Pdf, canary: str) -> None:
    form = drawing(pdf, f"BT ({canary}) Tj ET".encode())
    pdf.pages[0].obj.Resources.XObject.Undrawn = form


def _undrawn_image(pdf: pikepdf.Pdf, canary: str) -> None:
    image = pikepdf.Stream(pdf, (canary * 40).encode())
    image.stream_dict.update(
        Dictionary(
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=len(canary),
            Height=40,
            BitsPerComponent=8,
            ColorSpace=Name.DeviceGray,
        )
    )
    pdf.pages[0].obj.Resources.XObject.Undrawn = image


def _longer_image(deflated: bool) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        data = bytes(24 * 16 * 3) + canary.encode()
        image = image_of(pdf, zlib.compress(data) if deflated else data)
        image.stream_dict.Filter = Name.FlateDecode
        if not deflated:
            del image.stream_dict["/Filter"]
        pdf.pages[0].obj.Resources.XObject.Photo = image

    return plant


def _longer_array(place: str, key: str, *start: object) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        more = [String(canary), Dictionary(Held=String(canary))]
        PLACES[place](pdf)["/" + key] = Array([*start, *more])

    return plant


def _longer_destination(pdf: pikepdf.Pdf, canary: str) -> None:
    there = Array([pdf.pages[1].obj, Name.Fit, String(canary), Dictionary(F=String(canary))])
    pdf.Root.Outlines.First.Dest = there


def _layer_of_people(pdf: pikepdf.Pdf, canary: str) -> None:
    PLACES["layer"](pdf).Usage = Dictionary(
        CreatorInfo=Dictionary(Creator=String(canary), Subtype=Name.Artwork),
        User=Dictionary(Type=Name.Ind, Name=Array([String(canary)])),
        PageElement=Dictionary(Subtype=Name.HF, Held=String(canary)),
    )


def _rich_field(pdf: pikepdf.Pdf, canary: str) -> None:
    field = PLACES["field"](pdf)
    field.RV = String(f"<body><a href='https://{canary}.example/'>x</a></body>")
    field.TM, field.DS = String(canary), String(canary)


def _dates_of_remark(pdf: pikepdf.Pdf, canary: str) -> None:
    remark = PLACES["remark"](pdf)
    remark.M, remark.CreationDate = String("D:2026" + canary), String("D:2026" + canary)
    remark.IRT = Dictionary(Type=Name.Annot, Subtype=Name.Text, Contents=String(canary))
    remark.State, remark.StateModel = String(canary), String("Review")


def _halftone(pdf: pikepdf.Pdf, canary: str) -> None:
    screen = Dictionary(Type=Name.Halftone, HalftoneType=1, Frequency=60, Angle=45)
    screen.SpotFunction, screen.HalftoneName = Name.Round, String(canary)
    PLACES["state"](pdf).HT = screen


def _inks(pdf: pikepdf.Pdf, canary: str) -> None:
    tint = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([0]), C1=Array([1]), N=1)
    attributes = Dictionary(Subtype=Name.DeviceN, Held=String(canary))
    attributes.MixingHints = Dictionary(Held=String(canary))
    space = Array([Name.DeviceN, Array([Name.Black]), Name.DeviceGray, tint, attributes])
    pdf.pages[0].obj.Resources.ColorSpace.N = space
    white = Dictionary(WhitePoint=Array([1, 1, 1]), Held=String(canary))
    pdf.pages[0].obj.Resources.ColorSpace.G = Array([Name.CalGray, white])
    pdf.pages[0].contents_add(b"/N cs 1 scn 0 0 9 9 re f /G cs 1 sc 9 9 9 9 re f")


def _parameters(pdf: pikepdf.Pdf, canary: str) -> None:
    image = image_of(pdf, photo(), DecodeParms=Dictionary(Held=String(canary)))
    pdf.pages[0].obj.Resources.XObject.Photo = image
    form = pdf.pages[0].obj.Resources.XObject.Form
    form.write(
        zlib.compress(form.read_bytes()),
        filter=Name.FlateDecode,
        decode_parms=Dictionary(Held=String(canary), Columns=1),
    )


def _captured(pdf: pikepdf.Pdf, canary: str) -> None:
    for place in ("image", "form"):
        held = PLACES[place](pdf)
        held.ID, held.Measure = String(canary), Dictionary(Held=String(canary))
        held.Name, held.LastModified = Name("/" + canary), String(canary)


def _members(pdf: pikepdf.Pdf, canary: str) -> None:
    layer = PLACES["layer"](pdf)
    choice = Dictionary(Type=Name.OCMD, OCGs=Array([layer]), Held=String(canary))
    choice.VE = Array([Name.Or, layer, Dictionary(Held=String(canary))])
    pdf.pages[0].obj.Resources.Properties.M = pdf.make_indirect(choice)
    pdf.pages[0].contents_add(b"/OC /M BDC 0 0 9 9 re f EMC")


_LONGER: tuple[tuple[object, ...], ...] = (
    ("page", "MediaBox", 0, 0, 595, 842),
    ("link", "Rect", 20, 50, 60, 70),
    ("link", "Border", 0, 0, 0),
    ("form", "BBox", 0, 0, 100, 100),
    ("form", "Matrix", 1, 0, 0, 1, 0, 0),
    ("image", "Decode", 0, 1, 0, 1, 0, 1),
    ("type3", "Widths", 500),
    ("remark", "C", 1, 0, 0),
    ("shading", "Coords", 0, 0, 100, 0),
    ("kid_colours", "BG", 1),
)

CORNERS: dict[str, Carrier] = {
    "page of no tree, as a destination": _destination,
    "page of no tree, by a name": _named_destination,
    "page of no tree, of a link": _page_of_a_link,
    "page of no tree, of an element": _page_of_an_element,
    "page of no tree, by an action": _action_to_nowhere,
    "page of another tree": _other_tree,
    "form that nothing draws": _undrawn_form,
    "image that nothing draws": _undrawn_image,
    "image longer than it says": _longer_image(deflated=False),
    "image longer than it says, deflated": _longer_image(deflated=True),
    "destination longer than it may be": _longer_destination,
    "layer of people": _layer_of_people,
    "rich field": _rich_field,
    "dates of a remark": _dates_of_remark,
    "halftone": _halftone,
    "inks": _inks,
    "parameters of filters": _parameters,
    "captured images": _captured,
    "members of layers": _members,
    **{
        f"text in the {row[1]} of {row[0]}": _longer_array(*row)  # type: ignore[arg-type]
        for row in _LONGER
    },
}
