"""The jobs of a child process: inspect files, make the copy for recipients, draw a preview,
a thumbnail or a page, read the codes on pages."""

import codecs
import io
from typing import Any

from PIL import Image

from vault.decoding import images, page_codes, pdf_signatures, pdfs, picture_pages
from vault.decoding.media import Limits, MediaType, Note, Part, Undecodable
from vault.decoding.pdf_body import Body
from vault.decoding.preview_jpeg import PREVIEW_WIDTH, small_jpeg, thumbnail_jpeg

Outputs = tuple[bytes, bytes, bytes]
"""The copy for recipients, the preview, the thumbnail; each may be empty."""


def prepare() -> None:
    """Loads every decoder and runs each once: later no module or font file can be opened."""
    images.prepare()
    pdfs.prepare()
    for name in ("ascii", "latin-1", "cp1252", "utf-8", "utf-16", "utf-16-be", "utf-16-le"):
        codecs.lookup(name)
    limits = Limits()
    square = Image.new("RGB", (16, 16), "grey")
    for kind in (MediaType.JPEG, MediaType.PNG, MediaType.WEBP, MediaType.TIFF):
        out = io.BytesIO()
        square.save(out, kind.name)
        sample, types = out.getvalue(), [kind.value]
        run({"job": "inspect", "types": types}, [sample], limits)
        run({"job": "preview", "types": types}, [sample], limits)
        run({"job": "thumbnail", "types": types}, [sample], limits)
        _, (pdf, _, _) = run({"job": "inspect", "types": types * 2}, [sample] * 2, limits)
        run({"job": "inspect", "types": [MediaType.PDF.value]}, [pdf], limits)
        run({"job": "preview", "types": [MediaType.PDF.value]}, [pdf], limits)
        run({"job": "page", "types": [MediaType.PDF.value], "page": 2}, [pdf], limits)
    pdf_signatures.prepare(pdf)  # once: a quarter of the time that a start takes
    run({"job": "codes", "types": [MediaType.PNG.value]}, [_png(square)], limits)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def run(
    order: dict[str, Any], inputs: list[bytes], limits: Limits
) -> tuple[dict[str, Any], Outputs]:
    """`order["job"]` is "inspect", "preview", "thumbnail" (of a preview), "codes" or "page",
    with the number of a page of a PDF in `order["page"]`; `order["types"]` are the types of the
    inputs.

    The outputs: the copy, empty when it is the original; the preview (or the page) and the
    thumbnail, empty when they are not cheap or cannot be drawn.
    """
    types = [MediaType(value) for value in order["types"]]
    match order["job"]:
        case "page":
            return {}, (b"", _page(inputs[0], types[0], order["page"]), b"")
        case "codes":
            return {"codes": page_codes.codes_on(inputs[0], types[0], limits)}, (b"", b"", b"")
        case "preview":
            return {}, (b"", small_jpeg(_first_page(inputs[0], types[0], limits)), b"")
        case "thumbnail":
            return {}, (b"", b"", thumbnail_jpeg(_first_page(inputs[0], types[0], limits)))
    if len(inputs) == 1:
        return _single(inputs[0], types[0], limits)
    return _multiple(inputs, types, limits)


def _first_page(data: bytes, kind: MediaType, limits: Limits) -> Image.Image:
    if kind is MediaType.PDF:
        return pdfs.preview(data, PREVIEW_WIDTH)
    return images.preview(data, kind, limits, PREVIEW_WIDTH)


def _page(data: bytes, kind: MediaType, number: int) -> bytes:
    if kind is not MediaType.PDF:
        raise Undecodable("no_such_page")
    return small_jpeg(pdfs.page(data, number, PREVIEW_WIDTH))


def _drawn(small: Image.Image) -> tuple[bytes, bytes]:
    """The preview and the thumbnail, from what was decoded anyway; a failure costs them, not the
    document."""
    try:
        return small_jpeg(small), thumbnail_jpeg(small)
    except Exception:  # noqa: BLE001  (whatever an encoder raises)
        return b"", b""


def _single(data: bytes, kind: MediaType, limits: Limits) -> tuple[dict[str, Any], Outputs]:
    if kind is MediaType.PDF:
        pdf = pdfs.examine(data, limits)
        findings = _findings([pdf.part], MediaType.PDF, pdf.notes)
        findings |= {"carries": sorted(pdf.carries), "signatures": _signatures(pdf.body)}
        return findings, (pdf.cleaned, *_drawn(pdf.page))
    picture = images.examine(data, kind, limits)
    drawn = _drawn(picture.preview)
    if picture.unchanged:
        return _findings([picture.part], None, picture.notes), (b"", *drawn)
    if len(picture.pages) > 1:
        findings = _findings([picture.part], MediaType.PDF, picture.notes)
        return findings, (picture_pages.to_pdf(picture.pages), *drawn)
    findings = _findings([picture.part], picture.media_type, picture.notes)
    return findings, (picture.pages[0], *drawn)


def _multiple(
    inputs: list[bytes], types: list[MediaType], limits: Limits
) -> tuple[dict[str, Any], Outputs]:
    """One PDF of all parts in order. Pages of a PDF come without active content."""
    parts: list[Part] = []
    notes: list[Note] = []
    bundles: list[bytes] = []
    drawn = (b"", b"")
    for number, (data, kind) in enumerate(zip(inputs, types, strict=True), 1):
        try:
            part, part_notes, bundle, first = _bundle(data, kind, limits)
        except Undecodable as refused:
            raise Undecodable(refused.code, **refused.values, part=number) from refused.__cause__
        except Exception as error:
            raise Undecodable(part=number) from error
        parts.append(part)
        notes += part_notes
        bundles.append(bundle)
        if number == 1:
            drawn = _drawn(first)
        if sum(each.pages for each in parts) > limits.pages:
            raise Undecodable("too_many_pages", limit=limits.pages)
    findings = _findings(parts, MediaType.PDF, tuple(dict.fromkeys(notes)))
    return findings, (pdfs.join(bundles), *drawn)


def _bundle(
    data: bytes, kind: MediaType, limits: Limits
) -> tuple[Part, tuple[Note, ...], bytes, Image.Image]:
    """The findings about one part, its pages as a PDF, and its first page."""
    if kind is not MediaType.PDF:
        picture = images.examine(data, kind, limits)
        return picture.part, picture.notes, picture_pages.to_pdf(picture.pages), picture.preview
    pdf = pdfs.examine(data, limits)
    return pdf.part, pdf.notes, pdf.cleaned, pdf.page


def _signatures(body: Body) -> list[list[str | None]]:
    return [
        [each.signer, None if each.signed_at is None else each.signed_at.isoformat(), each.state]
        for each in pdf_signatures.read(body.data, alone=body.alone)
    ]


def _findings(
    parts: list[Part], rendition: MediaType | None, notes: tuple[Note, ...]
) -> dict[str, Any]:
    return {
        "parts": [[part.media_type, part.pages, part.width, part.height] for part in parts],
        "rendition": rendition or "same",
        "notes": list(notes),
    }
