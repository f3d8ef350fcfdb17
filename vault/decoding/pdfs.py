"""PDF files: whether they open and render, and copies without active content. Runs only inside a
child."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import cast

import pikepdf
import pypdfium2
from pikepdf import settings
from PIL import Image

from vault.decoding.media import Limits, MediaType, Note, Part, Undecodable

_FORBIDDEN_ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/RichMediaExecute"}
)
_FORBIDDEN_ANNOTATIONS = frozenset({"/FileAttachment", "/RichMedia", "/3D"})
_EMBEDDED_KEYS = frozenset({"/F", "/UF", "/DOS", "/Mac", "/Unix"})
# Only objects whose text has one of these names are walked.
_SUSPECT_NAME = re.compile(
    rb"/(?:JavaScript|JS|Launch|ImportData|SubmitForm|RichMedia|3D|FileAttachment|EF|EmbeddedFiles"
    rb"|XFA|Collection)\b|/ByteRange\b|/FT\s*/Sig\b"
)
_XFA_ACTIVE = re.compile(rb"[<:](?:script|submit|execute)\b")
_BLANK = b"\x00\t\n\x0c\r "


@dataclass(frozen=True)
class PdfPages:
    """A PDF that opens. `cleaned` is `None` when recipients may have the original as it is; `page`
    is its first page as recipients get it, RGB, at most 1000 px wide."""

    part: Part
    cleaned: bytes | None
    notes: tuple[Note, ...]
    page: Image.Image


def prepare() -> None:
    """Opens an encrypted file once: the ciphers' random device cannot be opened later."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="", R=6))
    _render(out.getvalue(), 10)
    _opened(out.getvalue()).close()


def examine(data: bytes, limits: Limits) -> PdfPages:
    """Opens the file, renders its first page, and removes active content.

    Raises `Undecodable` ("password_protected", "too_many_pages", "does_not_decode").
    """
    settings.set_qpdf_limits(
        flate_max_memory=limits.stream_bytes, run_length_max_memory=limits.stream_bytes
    )
    body, trailing = _without_trailing(data)
    with _opened(body) as pdf:
        pages = _count_pages(pdf, limits)
        signed, active = _clean(pdf, limits)
        cleaned = _save(pdf, limits) if active or trailing else None
    page = _render(cleaned or data, 1000)
    notes = _notes(signed=signed, active=active, trailing=trailing)
    return PdfPages(Part(MediaType.PDF, pages, None, None), cleaned, notes, page)


def _notes(*, signed: bool, active: bool, trailing: bool) -> tuple[Note, ...]:
    holding = {
        Note.PDF_ACTIVE_CONTENT_REMOVED: active,
        Note.PDF_TRAILING_DATA_REMOVED: trailing,
        Note.PDF_KEEPS_METADATA: True,
        Note.PDF_WAS_SIGNED: signed,
        Note.PDF_SIGNATURE_LOST: signed and (active or trailing),
    }
    return tuple(note for note, holds in holding.items() if holds)


def _without_trailing(data: bytes) -> tuple[bytes, bool]:
    """The file up to its last end-of-file marker, and whether there was data after it.

    Objects after that marker are a truncated revision: the revision before it could be a different
    document from the one deposited, so it is refused. So is a file that is also a zip archive.
    """
    end = data.rfind(b"%%EOF")
    if end < 0 or _ends_as_zip(data[: end + 6]):
        raise Undecodable
    end += len(b"%%EOF")
    tail = data[end:]
    if not tail.strip(_BLANK):
        if _ends_as_zip(data):
            raise Undecodable
        return data, False
    if re.search(rb"\d\s+obj\b", tail):
        raise Undecodable
    return data[:end] + b"\n", True


def _ends_as_zip(data: bytes) -> bool:
    """An end-of-central-directory record whose comment runs to the end (APPNOTE §4.3.16)."""
    start = max(0, len(data) - 65_557)
    while (at := data.find(b"PK\x05\x06", start)) >= 0:
        if abs(at + 22 + int.from_bytes(data[at + 20 : at + 22], "little") - len(data)) <= 4:
            return True
        start = at + 1
    return False


def _opened(data: bytes) -> pikepdf.Pdf:
    try:
        return pikepdf.open(io.BytesIO(data), suppress_warnings=True)
    except pikepdf.PasswordError:
        raise Undecodable("password_protected") from None


def _count_pages(pdf: pikepdf.Pdf, limits: Limits) -> int:
    stated = pdf.Root.Pages.get("/Count", 0)
    pages = stated if isinstance(stated, int) and stated > limits.pages else len(pdf.pages)
    if pages > limits.pages:
        raise Undecodable("too_many_pages", limit=limits.pages)
    if pages == 0:
        raise Undecodable
    return pages


# --- active content (ISO 32000-2 §12.6 actions, §7.11.4 embedded files, §12.7 forms) ---


def _clean(pdf: pikepdf.Pdf, limits: Limits) -> tuple[bool, bool]:
    """Removes active content. Returns whether the file was signed, whether anything was removed."""
    signed, removed, signatures = False, 0, list[pikepdf.Object]()
    for obj in pdf.objects:
        if isinstance(obj, pikepdf.Stream):
            _check_stream(obj, limits)
            text = obj.stream_dict.unparse(resolved=True)
            obj = obj.stream_dict  # noqa: PLW2901  (only the dictionary of a stream can be active)
        elif isinstance(obj, (pikepdf.Dictionary, pikepdf.Array)):
            text = obj.unparse(resolved=True)
        else:
            continue
        if _SUSPECT_NAME.search(text) is None:
            continue
        for holder in _dictionaries(obj):
            signed = signed or "/ByteRange" in holder
            if holder.get("/FT") == "/Sig" and "/V" in holder:
                signatures.append(holder)
            removed += _disarm(holder)
    removed += _drop_annotations(pdf) + _drop_from_root(pdf)
    signed = signed or bool(signatures)
    if removed:
        for field in signatures:
            del field["/V"]
        if "/Perms" in pdf.Root:
            del pdf.Root["/Perms"]
    return signed, removed > 0


def _dictionaries(root: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Every dictionary inside `root`, itself first; references are not followed."""
    stack = [root]
    while stack:
        current = stack.pop()
        if isinstance(current, pikepdf.Dictionary):
            yield current
            inner = [current[key] for key in list(current.keys())]
        elif isinstance(current, pikepdf.Array):
            inner = list(current)
        else:
            continue
        stack += [
            value
            for value in inner
            if isinstance(value, (pikepdf.Dictionary, pikepdf.Array)) and not value.is_indirect
        ]


def _disarm(holder: pikepdf.Object) -> int:
    """An action becomes an empty dictionary, which does nothing; actions chained to it go too."""
    if str(holder.get("/S", "")) in _FORBIDDEN_ACTIONS or _runs_script(holder):
        for key in list(holder.keys()):
            del holder[key]
        return 1
    removed = 0
    attached = holder.get("/EF")
    if isinstance(attached, pikepdf.Dictionary) and set(attached.keys()) <= _EMBEDDED_KEYS:
        del holder["/EF"]
        removed += 1
    form = holder.get("/XFA")
    if isinstance(form, (pikepdf.Array, pikepdf.Stream)) and _has_active_form(form):
        del holder["/XFA"]
        removed += 1
    return removed


def _runs_script(holder: pikepdf.Object) -> bool:
    return isinstance(holder.get("/JS"), (pikepdf.String, pikepdf.Stream))


def _has_active_form(form: pikepdf.Object) -> bool:
    packets = list(form) if isinstance(form, pikepdf.Array) else [form]
    written = b"".join(
        packet.read_bytes() for packet in packets if isinstance(packet, pikepdf.Stream)
    )
    return _XFA_ACTIVE.search(written) is not None


def _drop_annotations(pdf: pikepdf.Pdf) -> int:
    removed = 0
    for page in pdf.pages:
        notes = page.obj.get("/Annots")
        if not isinstance(notes, pikepdf.Array):
            continue
        kept = [note for note in notes if not _is_forbidden_annotation(note)]
        if len(kept) < len(notes):
            removed += len(notes) - len(kept)
            page.obj["/Annots"] = pikepdf.Array(kept)
    return removed


def _is_forbidden_annotation(note: pikepdf.Object) -> bool:
    return isinstance(note, pikepdf.Dictionary) and str(note.get("/Subtype", "")) in (
        _FORBIDDEN_ANNOTATIONS
    )


def _drop_from_root(pdf: pikepdf.Pdf) -> int:
    removed = 0
    names = pdf.Root.get("/Names")
    for holder, key in (
        (names, "/JavaScript"),
        (names, "/EmbeddedFiles"),
        (pdf.Root, "/Collection"),
    ):
        if isinstance(holder, pikepdf.Dictionary) and key in holder:
            del holder[key]
            removed += 1
    return removed


def _check_stream(stream: pikepdf.Stream, limits: Limits) -> None:
    """Refuses a stream that expands too much; images are checked by their size in memory."""
    if stream.stream_dict.get("/Subtype") == "/Image":
        sides = (stream.stream_dict.get("/Width", 0), stream.stream_dict.get("/Height", 0))
        bits = int(stream.stream_dict.get("/BitsPerComponent", 1))
        if int(sides[0]) * int(sides[1]) * (1 if bits == 1 else 4) > limits.image_bytes:
            raise Undecodable("pdf_too_detailed")
        return
    try:
        expanded = len(stream.read_bytes())
    except pikepdf.PdfError as error:
        # An unknown filter or damage is left to the reader; only the expansion is refused here.
        if "limit exceeded" in str(error) or "bad_alloc" in str(error):
            raise Undecodable from None
        return
    if expanded > limits.stream_bytes:
        raise Undecodable


def _save(pdf: pikepdf.Pdf, limits: Limits) -> bytes:
    """The file saved again and checked: a copy that is still active must not leave."""
    out = io.BytesIO()
    pdf.save(out, encryption=False)
    with _opened(out.getvalue()) as saved:
        if _clean(saved, limits)[1]:
            raise Undecodable
    return out.getvalue()


# --- pages ---


def _render(data: bytes, width: int) -> Image.Image:
    """The first page, at most `width` wide and twice as high. Raises when it cannot be drawn."""
    document = pypdfium2.PdfDocument(data)
    try:
        page = document[0]
        across, down = page.get_size()
        if not (across > 0 and down > 0):
            raise Undecodable
        scale = min(width / across, 2 * width / down)
        return cast("Image.Image", page.render(scale=scale).to_pil().convert("RGB"))
    finally:
        document.close()


def preview(data: bytes, width: int) -> Image.Image:
    """The first page of a PDF; raises `Undecodable` if it is password-protected."""
    _opened(data).close()
    return _render(data, width)


def join(pdfs: list[bytes]) -> bytes:
    """One PDF of all the pages, in order."""
    out = io.BytesIO()
    with ExitStack() as stack:
        joined = stack.enter_context(pikepdf.new())
        for pdf in pdfs:
            joined.pages.extend(stack.enter_context(_opened(pdf)).pages)
        joined.save(out)
    return out.getvalue()
