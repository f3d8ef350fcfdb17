"""The harmless PDFs: each maker's file as it is, and in other ways of writing the same."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
from pikepdf import ObjectStreamMode

from tests.vault.decoding.corpus import pdf_bytes
from tests.vault.decoding.pdfs.harmless import drawings, forms, images, programs, remarks
from tests.vault.decoding.pdfs.writing import Style, classic, compressed, spelled, trailer

Variant = Callable[[pikepdf.Pdf], bytes]

_NO_PASSWORD = {"owner": "owner", "user": ""}
VARIANTS: dict[str, Variant] = {
    "linearized": lambda pdf: pdf_bytes(pdf, linearize=True),
    "object streams": lambda pdf: pdf_bytes(pdf, object_stream_mode=ObjectStreamMode.generate),
    "laid out": lambda pdf: pdf_bytes(pdf, qdf=True),
    "version 1.3": lambda pdf: pdf_bytes(
        pdf, force_version="1.3", object_stream_mode=ObjectStreamMode.disable
    ),
    "version 2.0": lambda pdf: pdf_bytes(pdf, force_version="2.0"),
    "encrypted R3": lambda pdf: pdf_bytes(
        pdf, encryption=pikepdf.Encryption(**_NO_PASSWORD, R=3, aes=False, metadata=False)
    ),
    "encrypted R6": lambda pdf: pdf_bytes(pdf, encryption=pikepdf.Encryption(**_NO_PASSWORD, R=6)),
    "containers by reference": lambda pdf: classic(
        spelled(pdf, Style(containers_by_reference=True)), trailer(pdf)
    ),
    "escaped names": lambda pdf: compressed(spelled(pdf, Style(escaped=True)), trailer(pdf)),
}


def _originals() -> Iterator[tuple[str, bytes]]:
    for folder in (drawings, images, forms, remarks):
        for name, make in folder.MAKERS.items():
            yield name, make()
    for name, data in programs.printed().items():
        yield f"{name}, printed", data


def _as_they_are(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What a variant would change into something else."""
    printed, form = programs.printed(), forms.MAKERS["texts"]()
    for name, broken in forms.BROKEN.items():
        yield name, broken()
    for name, sign in programs.SIGNED.items():
        yield name, sign(form)
        yield f"{name}, printed", sign(printed["letter"])
    for name in ("letter", "Arabic", "drawing"):
        yield f"{name}, by cairo", programs.by_cairo(printed[name], folder)
        yield f"{name}, by MuPDF", programs.by_mupdf(printed[name], folder)
    for name in ("texts", "remarks"):
        yield f"{name}, by MuPDF", programs.by_mupdf(forms.MAKERS[name](), folder)
    yield "saved twice", remarks.saved_twice()
    yield "commands, by MuPDF", programs.from_text(folder)


def harmless(folder: Path) -> dict[str, bytes]:
    """About 240 files by name; `folder` is where programs may write."""
    found = dict(_as_they_are(folder))
    names = tuple(VARIANTS)
    for number, (name, data) in enumerate(_originals()):
        found[name] = data
        for step in range(1 + number % 2):
            variant = names[(number * 2 + step) % len(names)]
            with pikepdf.open(io.BytesIO(data)) as pdf:
                found[f"{name}, {variant}"] = VARIANTS[variant](pdf)
    return found
