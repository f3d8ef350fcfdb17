"""Small PDFs that are slow to draw: what someone sends who wants the decoders for themselves."""

import pikepdf
from pikepdf import Array, Dictionary, Name

from tests.vault.decoding import corpus


def nested_forms(levels: int = 9, each: int = 12, mark: int = 0) -> bytes:
    """Forms that draw the next one twelve times each: 12 ** 9 strokes of the pen in 3 KB."""
    made = corpus.blank_pdf()
    inner = _form(made, b"0 0 m 9 9 l S")
    for _ in range(levels):
        inner = _form(made, b"1 0 0 1 1 1 cm /F Do " * each, F=inner)
    return _drawn(made, inner, mark)


def fine_pattern(mark: int = 0) -> bytes:
    """A page filled with a pattern whose tiles are filled with a pattern, and so on."""
    made = corpus.blank_pdf()
    resources = Dictionary()
    for _ in range(6):
        pattern = made.make_stream(b"/Pattern cs /P scn 0 0 90 90 re f 0 0 m 9 9 l S")
        pattern.Type, pattern.PatternType, pattern.PaintType = Name.Pattern, 1, 1
        pattern.TilingType, pattern.XStep, pattern.YStep = 1, 2, 2
        pattern.BBox, pattern.Resources = Array([0, 0, 90, 90]), resources
        resources = Dictionary(Pattern=Dictionary(P=made.make_indirect(pattern)))
    form = _form(made, b"/Pattern cs /P scn 0 0 595 842 re f")
    form.Resources = resources
    return _drawn(made, form, mark)


def endless_curves(mark: int = 0) -> bytes:
    """Millions of curves, a few kilobytes once deflated."""
    made = corpus.blank_pdf()
    curve = b"0 0 m 900 800 -900 70 595 842 c 3 w 1 0 0 RG [1 1] 0 d S\n"
    return _drawn(made, _form(made, curve * 400_000), mark)


def _form(made: pikepdf.Pdf, content: bytes, **xobjects: pikepdf.Object) -> pikepdf.Object:
    form = made.make_stream(content)
    form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 595, 842])
    form.Resources = Dictionary(XObject=Dictionary(**xobjects))
    return form


def _drawn(made: pikepdf.Pdf, form: pikepdf.Object, mark: int) -> bytes:
    """The page draws the form; `mark` makes the file differ from others."""
    page = made.pages[0].obj
    page.Resources.XObject = Dictionary(F=form)
    page.Contents = made.make_stream(b"/F Do")
    made.docinfo["/Subject"] = f"Papier {mark}"
    return corpus.pdf_bytes(made, compress_streams=True)
