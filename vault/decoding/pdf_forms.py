"""Form fields without a look get one, as readers would make it."""

import contextlib

import pikepdf


def complete(pdf: pikepdf.Pdf) -> None:
    """Where a form asks readers to make its fields' looks, those that are missing are made."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary) or not form.get("/NeedAppearances"):
        return
    looks = _looks(pdf)
    # A field that cannot be drawn is left to the reader.
    with contextlib.suppress(pikepdf.PdfError, ValueError, RuntimeError):
        pdf.generate_appearance_streams()
    for widget, look in looks:
        widget["/AP"] = look
    form["/NeedAppearances"] = True


def _looks(pdf: pikepdf.Pdf) -> list[tuple[pikepdf.Object, pikepdf.Object]]:
    """The looks that fields have already, taken off: the maker's own is better than a new one."""
    return [
        (note, note["/AP"])
        for page in pdf.pages
        for note in _notes(page)
        if isinstance(note, pikepdf.Dictionary) and isinstance(note.get("/AP"), pikepdf.Dictionary)
    ]


def _notes(page: pikepdf.Page) -> list[pikepdf.Object]:
    notes = page.obj.get("/Annots")
    return list(notes) if isinstance(notes, pikepdf.Array) else []
