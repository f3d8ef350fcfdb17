"""Every action of ISO 32000-2 §12.6 that a recipient's copy must not have, and every place that can
start one. `canary` is what must not be found in the copy."""

from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.vault.decoding.pdfs.rich import PLACES

Action = Callable[[pikepdf.Pdf, str], Dictionary]
Trigger = Callable[[pikepdf.Pdf, Dictionary], None]


def specification(canary: str, **entries: object) -> Dictionary:
    """A file specification that names a file outside (§7.11)."""
    file = String(canary + ".exe")
    return Dictionary(Type=Name.Filespec, F=file, UF=file, **entries)


def _of_type(kind: str, **entries: Callable[[pikepdf.Pdf, str], object]) -> Action:
    return lambda pdf, canary: Dictionary(
        Type=Name.Action,
        S=Name("/" + kind),
        **{key: make(pdf, canary) for key, make in entries.items()},
    )


def _text(pdf: pikepdf.Pdf, canary: str) -> String:
    return String(canary)


def _file(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    return specification(canary)


def _written(template: str) -> Callable[[pikepdf.Pdf, str], String]:
    return lambda _, canary: String(template.replace("@", canary))


def _url(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    return Dictionary(FS=Name.URL, F=String(f"https://{canary}.example/"))


def _platform(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    return Dictionary(F=String(canary), P=String("/c " + canary), O=String("open"))


def _script(pdf: pikepdf.Pdf, canary: str) -> String:
    return String(f"app.launchURL('https://{canary}.example/')")


def _script_stream(pdf: pikepdf.Pdf, canary: str) -> pikepdf.Object:
    return pdf.make_indirect(pdf.make_stream(f"app.alert('{canary}')".encode()))


def _script_in_hex(pdf: pikepdf.Pdf, canary: str) -> pikepdf.Object:
    stream = pdf.make_stream(f"app.alert('{canary}')".encode().hex().encode() + b">")
    stream.stream_dict.Filter = Name.ASCIIHexDecode
    return stream


def _utf16(pdf: pikepdf.Pdf, canary: str) -> String:
    return String(b"\xfe\xff" + f"app.alert('{canary}é')".encode("utf-16-be"))


def _clip(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    data = Dictionary(Type=Name.MediaClip, S=Name.MCD, CT=String("video/mp4"), D=_url(pdf, canary))
    return Dictionary(Type=Name.Rendition, S=Name.MR, N=String(canary), C=data)


def _sound(pdf: pikepdf.Pdf, canary: str) -> pikepdf.Object:
    return pdf.make_stream(canary.encode() * 4, Type=Name.Sound, R=8000)


def _target(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    return Dictionary(R=Name.C, N=String(canary))


def _number(pdf: pikepdf.Pdf, canary: str) -> int:
    return 1


def _script_named_as_text(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    return Dictionary(S=String("JavaScript"), JS=_script(pdf, canary))


def _untyped(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    return Dictionary(JS=_script(pdf, canary), F=String(canary))


def _chain(pdf: pikepdf.Pdf, canary: str, *, listed: bool = False, links: int = 1) -> Dictionary:
    last: Dictionary = _of_type("Launch", F=_file)(pdf, canary)
    for _ in range(links):
        after = Array([last]) if listed else last
        last = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]), Next=after)
    return last


def _chained_to_allowed(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    script = pdf.make_indirect(_of_type("JavaScript", JS=_script)(pdf, canary))
    return Dictionary(S=Name.URI, URI=String("https://example.org/"), Next=script)


def _goto_with_file(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    there = Array([pdf.pages[0].obj, Name.Fit])
    return Dictionary(S=Name.GoTo, D=there, F=specification(canary))


def _destination_by_dictionary(pdf: pikepdf.Pdf, canary: str) -> Dictionary:
    held = Dictionary(D=Array([pdf.pages[0].obj, Name.Fit]), F=specification(canary))
    return Dictionary(S=Name.GoTo, D=held, SD=Array([specification(canary)]))


ACTIONS: dict[str, Action] = {
    "launch": _of_type("Launch", F=_text),
    "launch of a specification": _of_type("Launch", F=_file, NewWindow=lambda *_: True),
    "launch on Windows": _of_type("Launch", Win=_platform),
    "launch on Mac": _of_type("Launch", Mac=_platform),
    "launch on Unix": _of_type("Launch", Unix=_platform),
    "launch of a share": _of_type("Launch", F=_written("\\\\@\\share\\run.exe")),
    "address of a script": _of_type("URI", URI=_written("javascript:@")),
    "address of a script in capitals": _of_type("URI", URI=_written(" JaVaScript:@")),
    "address after a tab": _of_type("URI", URI=_written("\tjavascript:@")),
    "address in UTF-16": _of_type("URI", URI=_utf16),
    "address of a file": _of_type("URI", URI=_written("file:///c:/@")),
    "address of a share": _of_type("URI", URI=_written("smb://@/share")),
    "address as a share": _of_type("URI", URI=_written("\\\\@\\share")),
    "address of data": _of_type("URI", URI=_written("data:text/html,@")),
    "address of mail": _of_type("URI", URI=_written("mailto:@@example.org")),
    "address of a program": _of_type("URI", URI=_written("ms-word:ofe|u|https://@.example/")),
    "address that is relative": _of_type("URI", URI=_written("@.html")),
    "address without a scheme": _of_type("URI", URI=_written("//@.example/")),
    "script": _of_type("JavaScript", JS=_script),
    "script in a stream": _of_type("JavaScript", JS=_script_stream),
    "script in hexadecimal": _of_type("JavaScript", JS=_script_in_hex),
    "script in UTF-16": _of_type("JavaScript", JS=_utf16),
    "script of a type that is text": _script_named_as_text,
    "script without a type": _untyped,
    "form sent": _of_type("SubmitForm", F=_url, Flags=_number),
    "data imported": _of_type("ImportData", F=_file),
    "form emptied": _of_type("ResetForm", Fields=lambda _, canary: Array([String(canary)])),
    "field hidden": _of_type("Hide", T=_text),
    "layers switched": _of_type("SetOCGState", State=lambda *_: Array([]), Held=_text),
    "rendition": _of_type("Rendition", R=_clip, OP=_number, JS=_script),
    "movie": _of_type("Movie", T=_text, Operation=lambda *_: Name.Play),
    "sound": _of_type("Sound", Sound=_sound),
    "transition": _of_type("Trans", Trans=lambda _, canary: Dictionary(S=Name("/" + canary))),
    "3D view": _of_type("GoTo3DView", V=_text),
    "rich media": _of_type("RichMediaExecute", CMD=lambda _, canary: Dictionary(C=String(canary))),
    "thread": _of_type("Thread", F=_file, D=_number),
    "other file": _of_type("GoToR", F=_file, D=lambda *_: Array([0, Name.Fit])),
    "other file by address": _of_type("GoToR", F=_url, D=_text),
    "embedded file": _of_type("GoToE", T=_target, D=_text, F=_file),
    "part of a document": _of_type("GoToDp", Dp=lambda _, canary: Dictionary(N=String(canary))),
    "named print": _of_type("Named", N=lambda *_: Name.Print, Held=_text),
    "named by another name": _of_type("Named", N=lambda _, canary: Name("/" + canary)),
    "type that nobody knows": _of_type("Vendor", F=_text),
    "destination in a file": _goto_with_file,
    "destination by dictionary": _destination_by_dictionary,
    "chain": _chain,
    "chain by list": lambda pdf, canary: _chain(pdf, canary, listed=True),
    "chain of nine": lambda pdf, canary: _chain(pdf, canary, links=9),
    "chain of nine lists": lambda pdf, canary: _chain(pdf, canary, listed=True, links=9),
    "chain after an address": _chained_to_allowed,
    "private key": lambda _, canary: Dictionary(
        S=Name.URI, URI=String("https://example.org/"), ADBE_Held=String(canary)
    ),
}


def _key(place: str, key: str) -> Trigger:
    def plant(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        PLACES[place](pdf)["/" + key] = action

    return plant


def _additional(place: str, event: str) -> Trigger:
    def plant(pdf: pikepdf.Pdf, action: Dictionary) -> None:
        PLACES[place](pdf).AA = Dictionary({"/" + event: action})

    return plant


def _document_script(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    pdf.Root.Names.JavaScript = Dictionary(Names=Array([String("start"), action]))


def _deep_document_script(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    leaf = pdf.make_indirect(Dictionary(Names=Array([String("start"), action])))
    pdf.Root.Names.JavaScript = Dictionary(Kids=Array([Dictionary(Kids=Array([leaf]))]))


def _spare_page(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    page = pdf.make_indirect(
        Dictionary(Type=Name.Template, MediaBox=Array([0, 0, 9, 9]), AA=Dictionary(O=action))
    )
    pdf.Root.Names.Pages = Dictionary(Names=Array([String("spare"), page]))


def _calculation(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    hidden = pdf.make_indirect(
        Dictionary(FT=Name.Tx, T=String("sum"), AA=Dictionary(C=action), Ff=1)
    )
    pdf.Root.AcroForm.CO = Array([hidden])


def _unlisted_field(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    field = Dictionary(FT=Name.Btn, T=String("go"), A=action, AA=Dictionary(U=action))
    pdf.Root.AcroForm.Fields.append(pdf.make_indirect(field))


def _popup(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    popup = Dictionary(Type=Name.Annot, Subtype=Name.Popup, Rect=Array([0, 0, 9, 9]), A=action)
    pdf.pages[0].obj.Annots[1].Popup = pdf.make_indirect(popup)


def _screen(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    screen = Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=Array([0, 0, 9, 9]), A=action)
    pdf.pages[1].obj.Annots = Array([pdf.make_indirect(screen)])


def _untyped_annotation(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    pdf.pages[1].obj.Annots = Array([Dictionary(Rect=Array([0, 0, 9, 9]), A=action)])


def _tagged_object(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    """An annotation of no page, that only the structure knows."""
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
    held = Dictionary(Type=Name.OBJR, Obj=pdf.make_indirect(link), Pg=pdf.pages[0].obj)
    pdf.Root.StructTreeRoot.K[0].K.append(held)


def _second_outline(pdf: pikepdf.Pdf, action: Dictionary) -> None:
    first = pdf.Root.Outlines.First
    second = pdf.make_indirect(Dictionary(Title=String("Next"), A=action, Prev=first))
    second.Parent = pdf.Root.Outlines
    first.Next, pdf.Root.Outlines.Last = second, second


_ANNOTATION_EVENTS = ("E", "X", "D", "U", "Fo", "Bl", "PO", "PC", "PV", "PI")
TRIGGERS: dict[str, Trigger] = {
    "opening": _key("catalog", "OpenAction"),
    **{f"document {event}": _additional("catalog", event) for event in ("WC", "WS", "DS")},
    **{f"document {event}": _additional("catalog", event) for event in ("WP", "DP")},
    **{f"page {event}": _additional("page", event) for event in ("O", "C")},
    "page of all pages": _additional("pages", "O"),
    **{f"field {event}": _additional("field", event) for event in ("K", "F", "V", "C")},
    **{f"annotation {event}": _additional("link", event) for event in _ANNOTATION_EVENTS},
    "widget U": _additional("kid", "U"),
    "parent field C": _additional("parent_field", "C"),
    "before a link": _key("link", "PA"),
    "after a link": _key("link_action", "Next"),
    "remark": _key("remark", "A"),
    "document script": _document_script,
    "document script, deep": _deep_document_script,
    "spare page": _spare_page,
    "calculation": _calculation,
    "popup": _popup,
    "screen": _screen,
    "object of the structure": _tagged_object,
}
"""What starts an action by itself, or is no place for one: an address of the web goes there too."""

CLICKED: dict[str, Trigger] = {
    "link": _key("link", "A"),
    "widget": _key("kid", "A"),
    "field": _key("field", "A"),
    "outline": _second_outline,
    "field of no page": _unlisted_field,
    "annotation without a type": _untyped_annotation,
}
"""What a person clicks."""
