"""The files that mutations start from, of each format that a vault accepts."""

from collections.abc import Callable

from tests.vault.decoding import corpus, hostile_pdfs
from tests.vault.decoding.pdfs.combinations import combinations
from tests.vault.decoding.pdfs.harmless import drawings, forms, images

CANARY = "scripted"


def _pdfs() -> list[bytes]:
    chosen = [one.data(CANARY) for one in combinations()[::17]]
    chosen += [make() for make in forms.MAKERS.values()]
    chosen += [drawings.MAKERS[name]() for name in ("outlines and links", "layer off", "mesh")]
    chosen += [images.MAKERS[name]() for name in ("JBIG2", "facsimile", "soft mask", "JPEG 2000")]
    return [*chosen, corpus.pdf(), hostile_pdfs.signed_pdf(), hostile_pdfs.restricted_pdf()]


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "pdf": _pdfs,
    "jpeg": lambda: [
        corpus.plain_jpeg(),
        corpus.phone_jpeg(),
        corpus.phone_jpeg(progressive=True),
        corpus.restart_jpeg(),
        corpus.cmyk_jpeg(),
    ],
    "png": lambda: [
        corpus.plain_png(),
        corpus.plain_png("P"),
        corpus.plain_png("1"),
        corpus.talkative_png(),
        corpus.deep_png(),
        corpus.see_through_png(),
    ],
    "webp": lambda: [corpus.webp(), corpus.animated_webp()],
    "heic": lambda: [corpus.heic(), corpus.heif()],
    "tiff": lambda: [
        corpus.tiff(),
        corpus.tiff(compression="jpeg"),
        corpus.tiff("1", compression="group4"),
        corpus.deep_tiff(),
        corpus.paged_tiff(),
    ],
}
