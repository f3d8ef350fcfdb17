"""PDF files with actions, hidden content or excessive sizes, made on demand."""

import struct
import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.vault.decoding.corpus import blank_pdf, pdf, pdf_bytes, zip_file


def _script(code: str = "app.alert(1)") -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String(code))


def active_pdf(where: str) -> bytes:
    """A PDF with an active element: `where` is one of `ACTIVE`."""
    made = blank_pdf(2)
    _ACTIVE[where](made)
    return pdf_bytes(made, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def _open_action(made: pikepdf.Pdf) -> None:
    made.Root.OpenAction = made.make_indirect(_script())


def _launch(made: pikepdf.Pdf) -> None:
    made.Root.OpenAction = Dictionary(S=Name.Launch, F=String("cmd.exe"))


def _chained(made: pikepdf.Pdf) -> None:
    first = Dictionary(S=Name.GoTo, D=Array([made.pages[0].obj, Name.Fit]))
    first.Next = Array([made.make_indirect(_script())])
    made.Root.OpenAction = first


def _page_action(made: pikepdf.Pdf) -> None:
    made.pages[1].obj.AA = Dictionary(O=_script())


def _named_script(made: pikepdf.Pdf) -> None:
    tree = Dictionary(Names=Array([String("start"), made.make_indirect(_script())]))
    made.Root.Names = Dictionary(JavaScript=made.make_indirect(tree))


def _script_stream(made: pikepdf.Pdf) -> None:
    action = Dictionary(S=Name.JavaScript, JS=made.make_stream(b"app.alert(1)"))
    made.Root.OpenAction = made.make_indirect(action)


def _embedded(made: pikepdf.Pdf) -> None:
    made.attachments["hidden.exe"] = b"MZ program"


def _file_annotation(made: pikepdf.Pdf) -> None:
    held = made.make_indirect(made.make_stream(b"MZ program", Type=Name.EmbeddedFile))
    spec = Dictionary(Type=Name.Filespec, F=String("a.exe"), EF=Dictionary(F=held))
    note = Dictionary(
        Type=Name.Annot, Subtype=Name.FileAttachment, Rect=Array([0, 0, 9, 9]), FS=spec
    )
    made.pages[0].obj.Annots = Array([made.make_indirect(note)])


def _rich_media(made: pikepdf.Pdf) -> None:
    note = Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=Array([0, 0, 9, 9]))
    made.pages[0].obj.Annots = Array([note])


def _form_script(made: pikepdf.Pdf) -> None:
    field = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        FT=Name.Tx,
        T=String("name"),
        Rect=Array([100, 100, 200, 120]),
        AA=Dictionary(K=_script(), F=_script("AFNumber_Format(2)")),
    )
    held = made.make_indirect(field)
    made.pages[0].obj.Annots = Array([held])
    made.Root.AcroForm = Dictionary(Fields=Array([held]))


def _xfa(made: pikepdf.Pdf) -> None:
    template = made.make_stream(b"<template><event><script>run()</script></event></template>")
    made.Root.AcroForm = Dictionary(Fields=Array([]), XFA=Array([String("template"), template]))


def _submit(made: pikepdf.Pdf) -> None:
    made.Root.OpenAction = Dictionary(S=Name.SubmitForm, F=String("https://example.org/"))


_ACTIVE = {
    "open_action": _open_action,
    "launch": _launch,
    "chained": _chained,
    "page_action": _page_action,
    "named_script": _named_script,
    "script_stream": _script_stream,
    "embedded": _embedded,
    "file_annotation": _file_annotation,
    "rich_media": _rich_media,
    "form_script": _form_script,
    "xfa": _xfa,
    "submit": _submit,
}


ACTIVE = tuple(_ACTIVE)


def escaped_script_pdf() -> bytes:
    """The script's name is written with escapes, to hide it."""
    made = active_pdf_plain()
    return made.replace(b"/S /JavaScript", b"/S /J#61vaScript").replace(b"/JS ", b"/J#53 ")


def active_pdf_plain() -> bytes:
    made = blank_pdf(1)
    _open_action(made)
    return pdf_bytes(
        made, object_stream_mode=pikepdf.ObjectStreamMode.disable, qdf=True, static_id=True
    )


def signed_pdf(*, active: bool = False) -> bytes:
    """Looks signed: a signature field with a value and a byte range."""
    made = blank_pdf(1)
    value = Dictionary(
        Type=Name.Sig,
        Filter=Name("/Adobe.PPKLite"),
        SubFilter=Name("/adbe.pkcs7.detached"),
        ByteRange=Array([0, 100, 200, 100]),
        Contents=String("signature"),
    )
    field = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        FT=Name.Sig,
        T=String("Signature1"),
        Rect=Array([0, 0, 0, 0]),
        V=made.make_indirect(value),
    )
    held = made.make_indirect(field)
    made.pages[0].obj.Annots = Array([held])
    made.Root.AcroForm = Dictionary(Fields=Array([held]), SigFlags=3)
    if active:
        _open_action(made)
    return pdf_bytes(made)


def locked_pdf() -> bytes:
    """Needs a password to open."""
    return pdf_bytes(blank_pdf(), encryption=pikepdf.Encryption(user="secret", owner="owner", R=6))


def restricted_pdf() -> bytes:
    """Opens without a password, and declares forbidden actions."""
    return pdf_bytes(blank_pdf(), encryption=pikepdf.Encryption(user="", owner="owner", R=6))


def many_pages_pdf(pages: int = 100_000) -> bytes:
    """One page, listed many times."""
    made = blank_pdf(1)
    page = made.pages[0].obj
    made.Root.Pages.Kids = Array([page] * pages)
    made.Root.Pages.Count = pages
    return pdf_bytes(made)


def lying_count_pdf() -> bytes:
    """Declares two pages and has six hundred."""
    made = blank_pdf(600)
    made.Root.Pages.Count = 2
    return pdf_bytes(made)


def _zeros_deflated(mebibytes: int) -> bytes:
    """A zlib stream (RFC 1950) of that many zero bytes, made without compressing all of them."""
    block = zlib.compressobj(9, wbits=-15)
    mebibyte = block.compress(bytes(1 << 20)) + block.flush(zlib.Z_FULL_FLUSH)
    checksum = ((mebibytes << 20) % 65521) << 16 | 1
    return b"\x78\x9c" + mebibyte * mebibytes + b"\x03\x00" + struct.pack(">I", checksum)


def nested_bomb_pdf(*, drawn: bool = True) -> bytes:
    """A stream that expands to 2 GiB in two steps; `drawn`: the first page uses it."""
    made = blank_pdf(1)
    bomb = pikepdf.Stream(made, zlib.compress(_zeros_deflated(2048), 9))
    bomb.stream_dict.Filter = Array([Name.FlateDecode, Name.FlateDecode])
    held = made.make_indirect(bomb)
    if drawn:
        made.pages[0].obj.Contents = held
    else:
        made.Root.Hidden = held
    return pdf_bytes(
        made, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none
    )


def huge_picture_pdf() -> bytes:
    """A picture of ten gigapixels on its page."""
    made = blank_pdf(1)
    image = made.make_stream(zlib.compress(bytes(1000)))
    image.stream_dict.update(
        Dictionary(
            Subtype=Name.Image,
            Width=100_000,
            Height=100_000,
            BitsPerComponent=8,
            ColorSpace=Name.DeviceGray,
            Filter=Name.FlateDecode,
        )
    )
    made.pages[0].obj.Resources.XObject = Dictionary(I=image)
    return pdf_bytes(
        made, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none
    )


def pdf_with_zip() -> bytes:
    return pdf() + zip_file()


def zip_hidden_in_pdf() -> bytes:
    """A zip whose closing comment contains the end of the PDF, so that no byte follows it."""
    archive = zip_file()
    whole = pdf(1)
    end = whole.rindex(b"startxref")
    rest = whole[end:]
    return whole[:end] + archive[:-2] + struct.pack("<H", len(rest)) + rest
