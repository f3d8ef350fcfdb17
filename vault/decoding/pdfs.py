"""PDF files: whether they open and render, and the copy that others receive, rewritten from an
allow-list. Runs only inside a child."""

import io
import re
import warnings
from dataclasses import dataclass
from hashlib import sha256

import pikepdf
from pikepdf import settings
from PIL import Image

from vault.decoding import (
    pdf_assembly,
    pdf_body,
    pdf_findings,
    pdf_forms,
    pdf_preview,
    pdf_resources,
    pdf_revisions,
    pdf_unseen,
)
from vault.decoding.media import Carries, Limits, MediaType, Note, Part, Undecodable
from vault.decoding.pdf_body import Body
from vault.decoding.pdf_images import Streams
from vault.decoding.pdf_objects import Objects
from vault.decoding.pdf_rewrite import Rewrite

PAGE_WIDTH = 1000

_COMPRESSED_BYTES = 256 * 1024
"""Plain streams up to this size are compressed: a large uncompressed scan stays as it came, because
compressing a mebibyte of it takes longer than everything else."""


_STATIC_ID = b"/ID [<31415926535897932384626433832795><31415926535897932384626433832795>]"
"""What qpdf writes when it is told to make no identifier of its own."""
_LAST_TABLE = re.compile(rb"startxref\s+(\d+)")
_TRAILER_BYTES = 1024


@dataclass(frozen=True)
class PdfPages:
    """A PDF that opens. `cleaned` is what recipients receive, `body` what was opened: the file
    without what is before or after the PDF. `page`: the first page of `cleaned`, RGBX, at most 1000
    pixels wide and 2000 high."""

    part: Part
    cleaned: bytes
    notes: tuple[Note, ...]
    carries: frozenset[Carries]
    body: Body
    page: Image.Image


def prepare() -> None:
    """Opens an encrypted file once: the ciphers' random device cannot be opened later."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="", R=6))
    cleaned = examine(out.getvalue(), Limits()).cleaned
    join([cleaned, cleaned])


def examine(data: bytes, limits: Limits) -> PdfPages:
    """Opens the file, rewrites it, and draws the first page of the copy.

    Raises `Undecodable` ("password_protected", "too_many_pages", "pdf_too_detailed",
    "does_not_decode").
    """
    settings.set_qpdf_limits(
        flate_max_memory=limits.stream_bytes, run_length_max_memory=limits.stream_bytes
    )
    body = pdf_body.body(data)
    with _opened(body.data) as pdf:
        pages = _count_pages(pdf, limits)
        pdf_forms.complete(pdf)
        cleaned, carries, notes = _rewritten(pdf, body, limits)
    page = pdf_preview.first_page(cleaned, PAGE_WIDTH)
    part = Part(MediaType.PDF, pages, None, None)
    return PdfPages(part, cleaned, notes, carries, body, page)


def _rewritten(
    pdf: pikepdf.Pdf, body: Body, limits: Limits
) -> tuple[bytes, frozenset[Carries], tuple[Note, ...]]:
    stated = _stated_pages(pdf)
    references = [f"{page.objgen[0]} {page.objgen[1]} R" for page in pdf.pages]
    objects = Objects(pdf)
    streams = Streams(pdf, objects, limits)
    rewrite = Rewrite(objects, references, streams.is_profile)
    rewrite.run()
    damaged = body.endless or _was_rebuilt(pdf)
    if damaged and (rewrite.missing or stated > len(references)):
        raise Undecodable
    streams.examine(rewrite.kept)
    pdf_resources.remove(objects, rewrite, streams.content)
    findings = pdf_findings.findings(objects, rewrite)
    carries = findings.carries | _earlier(body, objects, rewrite, signed=findings.signed)
    if streams.detailed:
        carries |= {Carries.DETAILS}
    notes = _notes(objects, body, carries, streams, signed=findings.signed)
    if findings.signed and (body.before or body.after):
        carries |= {Carries.ATTACHED}  # No signature covers it, and it would leave with the file.
    objects.replace(rewrite.changed)
    streams.write()
    return _saved(pdf, compressed=streams.plain <= _COMPRESSED_BYTES), carries, notes


def _notes(
    objects: Objects, body: Body, carries: frozenset[Carries], streams: Streams, *, signed: bool
) -> tuple[Note, ...]:
    holding = {
        Note.PHOTO_LOCATION_REMOVED: streams.located,
        Note.PDF_ACTIVE_CONTENT_REMOVED: Carries.ACTIVE in carries,
        Note.PDF_ATTACHMENTS_REMOVED: Carries.ATTACHED in carries,
        Note.PDF_EXTERNAL_REFERENCES_REMOVED: Carries.EXTERNAL in carries,
        Note.PDF_EARLIER_REVISION_REMOVED: Carries.EARLIER in carries,
        Note.PDF_TRAILING_DATA_REMOVED: not body.alone,
        Note.PDF_DETAILS_REMOVED: Carries.DETAILS in carries,
        Note.PDF_FORM_EMPTY: pdf_findings.is_dynamic_form(objects),
        Note.PDF_COVER_ONLY: pdf_findings.is_portfolio(objects),
        Note.PDF_WAS_SIGNED: signed,
        Note.PDF_SIGNATURE_LOST: signed,
    }
    return tuple(note for note, holds in holding.items() if holds)


def _earlier(body: Body, objects: Objects, rewrite: Rewrite, *, signed: bool) -> frozenset[Carries]:
    hides = pdf_revisions.count(body.data) > 1
    if signed:
        hides = hides and pdf_revisions.hide(body.data, objects, rewrite.kept)
        hides = hides or pdf_unseen.has_strays(body.data, objects)
    return frozenset({Carries.EARLIER} if hides else ())


def _opened(data: bytes) -> pikepdf.Pdf:
    try:
        return pikepdf.open(io.BytesIO(data), suppress_warnings=True)
    except pikepdf.PasswordError:
        raise Undecodable("password_protected") from None
    except pikepdf.PdfError as error:
        if "encrypt" in str(error).lower():
            raise Undecodable("password_protected") from None
        raise Undecodable from None


def _was_rebuilt(pdf: pikepdf.Pdf) -> bool:
    """Whether the table of objects was broken, so that they were searched for."""
    return any("econstruct" in str(warning) for warning in pdf.get_warnings())


def _stated_pages(pdf: pikepdf.Pdf) -> int:
    stated = pdf.Root.Pages.get("/Count", 0)
    return stated if isinstance(stated, int) else 0


def _count_pages(pdf: pikepdf.Pdf, limits: Limits) -> int:
    stated = _stated_pages(pdf)
    pages = stated if stated > limits.pages else len(pdf.pages)
    if pages > limits.pages:
        raise Undecodable("too_many_pages", limit=limits.pages)
    if pages == 0:
        raise Undecodable
    return pages


def _saved(pdf: pikepdf.Pdf, *, compressed: bool) -> bytes:
    """One revision of what can be reached, not encrypted; the same input gives the same bytes."""
    for key in list(pdf.trailer.keys()):
        if key not in {"/Root", "/Size", "/Encrypt"}:
            del pdf.trailer[key]
    if "/Size" not in pdf.trailer:
        pdf.trailer["/Size"] = len(pdf.objects) + 1  # Else qpdf writes none, and nobody opens it.
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # Of widgets that no form lists.
        pdf.save(
            out,
            encryption=False,
            static_id=True,
            fix_metadata_version=False,
            compress_streams=compressed,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )
    saved = _identified(out)
    if pdf_body.ends_as_zip(saved):
        raise Undecodable
    return saved


def _identified(out: io.BytesIO) -> bytes:
    """The file with an identifier made of its bytes. qpdf's own way takes MD5 of each piece that it
    writes, which takes as long as all the rest of a save."""
    with out.getbuffer() as written:
        end = _LAST_TABLE.search(bytes(written[-64:]))
        table = int(end[1]) if end else len(written)
        at = bytes(written[table : table + _TRAILER_BYTES]).find(_STATIC_ID)
        if at >= 0:
            name = sha256(written).hexdigest()[:32].encode()
            start = table + at
            written[start : start + len(_STATIC_ID)] = b"/ID [<%b><%b>]" % (name, name)
    return out.getvalue()


def preview(data: bytes, width: int) -> Image.Image:
    """The first page of a PDF; raises `Undecodable` if it is password-protected."""
    return page(data, 1, width)


def page(data: bytes, number: int, width: int) -> Image.Image:
    """Page `number` of a PDF, from 1; raises `Undecodable` if it is password-protected, and
    "no_such_page"."""
    body = pdf_body.body(data).data
    _opened(body).close()
    return pdf_preview.page(body, number, width)


def count(data: bytes) -> int:
    """How many pages there are to draw. Raises as `page` does."""
    body = pdf_body.body(data).data
    _opened(body).close()
    return pdf_preview.count(body)


def join(pdfs: list[bytes]) -> bytes:
    """One PDF of all the pages of cleaned PDFs, in order."""
    return pdf_assembly.join(pdfs)
