"""Whole inspections, by the real decoders in real children."""

import io
import re

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from base.errors import ErrorKind, ServiceError
from tests.vault.decoding import corpus, hostile_pdfs, odd_jpegs, odd_photos, odd_pngs
from tests.vault.decoding.inputs import ACCOUNT, inspected, source, written_objects
from vault.decoding import strip
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits, MediaType, Note

RED, BLUE = (220, 20, 20), (20, 20, 220)
ACTIVE_NAMES = re.compile(rb"JavaScript|/JS|Launch|SubmitForm|/EF\b|EmbeddedFile|XFA|RichMedia|MZ")


def _image(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def _close(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(int(a) - b) < 40 for a, b in zip(pixel[:3], colour, strict=True))


def _only_image(page: pikepdf.Page) -> bytes:
    (name,) = page.obj.Resources.XObject.keys()
    image = page.obj.Resources.XObject[name]
    assert isinstance(image, pikepdf.Stream)
    return image.read_raw_bytes()


async def _refusal(decoder: Decoder, *parts: bytes) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        await inspected(decoder, *parts)
    return refused.value


async def test_a_phone_photo_is_stripped_for_recipients(decoder: Decoder) -> None:
    inspection, copy = await inspected(decoder, corpus.phone_jpeg(6))
    assert (inspection.media_type, inspection.pages, inspection.width, inspection.height) == (
        "image/jpeg",
        1,
        200,
        320,
    )
    assert inspection.rendition is MediaType.JPEG
    assert inspection.notes == (Note.PHOTO_LOCATION_REMOVED, Note.PHOTO_DETAILS_REMOVED)
    assert copy == strip.jpeg(corpus.phone_jpeg(6)).data
    assert corpus.MAKER not in copy


@pytest.mark.parametrize("make", ["plain_jpeg", "plain_png", "deep_png"])
async def test_what_tells_nothing_is_handed_on_as_it_is(decoder: Decoder, make: str) -> None:
    inspection, _ = await inspected(decoder, getattr(corpus, make)())
    assert inspection.rendition == "same"
    assert inspection.rendition_length == 0


@pytest.mark.parametrize(
    ("make", "kind"),
    [("heic", MediaType.HEIC), ("heif", MediaType.HEIF), ("webp", MediaType.WEBP)],
)
async def test_other_photos_become_upright_jpegs(
    decoder: Decoder, make: str, kind: MediaType
) -> None:
    turned = make != "heif"
    inspection, copy = await inspected(decoder, getattr(corpus, make)())
    assert inspection.media_type is kind
    assert inspection.rendition is MediaType.JPEG
    assert Note.PHOTO_LOCATION_REMOVED in inspection.notes
    shown = _image(copy)
    assert (
        shown.size
        == (inspection.width, inspection.height)
        == ((200, 320) if turned else (320, 200))
    )
    assert not shown.getexif()
    assert corpus.MAKER not in copy
    # After a quarter turn clockwise, the red corner at the top left is at the top right.
    assert _close(shown.getpixel((shown.width - 8 if turned else 8, 8)), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_tiff_is_turned_once(decoder: Decoder, orientation: int) -> None:
    _, copy = await inspected(decoder, corpus.tiff(orientation=orientation))
    shown = _image(copy)
    right, bottom = shown.width - 8, shown.height - 8
    corner = [(8, 8), (right, 8), (right, bottom), (8, bottom)]
    corner += [(8, 8), (right, 8), (right, bottom), (8, bottom)]
    assert shown.size == ((320, 200) if orientation < 5 else (200, 320))
    assert _close(shown.getpixel(corner[orientation - 1]), RED)


async def test_sixteen_bits_of_grey_are_scaled_not_clipped(decoder: Decoder) -> None:
    _, copy = await inspected(decoder, corpus.deep_tiff())
    shown = _image(copy)
    assert [round(float(shown.getpixel((30, y))) / 8) for y in (0, 128, 255)] == [0, 16, 32]  # type: ignore[arg-type]  # grey


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "CMYK"])
async def test_every_mode_of_tiff_becomes_a_jpeg(decoder: Decoder, mode: str) -> None:
    compression = "group4" if mode == "1" else "tiff_lzw"
    inspection, copy = await inspected(decoder, corpus.tiff(mode, compression=compression))
    assert inspection.rendition is MediaType.JPEG
    assert _image(copy).size == (320, 200)


async def test_a_tiff_of_several_pages_becomes_a_pdf(decoder: Decoder) -> None:
    inspection, copy = await inspected(decoder, corpus.paged_tiff(3))
    assert (inspection.pages, inspection.rendition) == (3, MediaType.PDF)
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        assert len(pdf.pages) == 3


async def test_an_animation_keeps_its_first_image_and_says_so(decoder: Decoder) -> None:
    inspection, copy = await inspected(decoder, corpus.animated_webp())
    assert Note.FIRST_IMAGE_ONLY in inspection.notes
    assert _image(copy).size == (320, 200)


# --- documents of several parts ---


async def test_photos_of_one_paper_make_one_upright_pdf(decoder: Decoder) -> None:
    parts = [corpus.phone_jpeg(6), corpus.phone_jpeg(5), corpus.heic(), corpus.see_through_png()]
    parts += [corpus.talkative_png(6), corpus.pdf(2), corpus.cmyk_jpeg(), corpus.paged_tiff(2)]
    inspection, copy = await inspected(decoder, *parts)
    assert inspection.rendition is MediaType.PDF
    assert [part.pages for part in inspection.parts] == [1, 1, 1, 1, 1, 2, 1, 2]
    assert inspection.pages == 10
    assert corpus.MAKER not in copy
    document = pypdfium2.PdfDocument(copy)
    assert len(document) == 10
    first = document[0].render(scale=1).to_pil().convert("RGB")
    document.close()
    assert first.height > first.width
    assert _close(first.getpixel((first.width - 40, 40)), RED)


async def test_the_photos_in_the_pdf_are_not_encoded_again(decoder: Decoder) -> None:
    _, copy = await inspected(decoder, corpus.phone_jpeg(6), corpus.plain_jpeg())
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        held = [_only_image(page) for page in pdf.pages]
    assert held[1] == corpus.plain_jpeg()
    assert held[0] == strip.jpeg(corpus.phone_jpeg(6)).data


async def test_a_bad_part_is_named(decoder: Decoder) -> None:
    refused = await _refusal(decoder, corpus.plain_jpeg(), corpus.plain_jpeg()[:-900])
    assert (refused.code, refused.values) == ("does_not_decode", {"part": 2})
    refused = await _refusal(decoder, corpus.plain_jpeg(), b"text")
    assert (refused.code, refused.values) == ("type_not_allowed", {"part": 2})


BAD_THIRDS = {
    "a cut photo": (odd_jpegs.CUT["20 %"], "does_not_decode"),
    "a cut progressive photo": (odd_jpegs.CUT["3 %, progressive"], "does_not_decode"),
    "a cut scan": (odd_photos.CUT["tiff, 20 %"], "does_not_decode"),
    "a cut HEIC": (odd_photos.CUT["heic, 3 %"], "does_not_decode"),
    "a cut PNG": (odd_pngs.CUT["a half"], "does_not_decode"),
    "a cut PDF": (lambda: corpus.pdf()[:400], "does_not_decode"),
    "a film": (lambda: corpus.REFUSED["quicktime"], "type_not_allowed"),
    "a film of another kind": (lambda: corpus.MOTION_PHOTO, "type_not_allowed"),
    "nothing": (bytes, "file_empty"),
    "a huge picture": (corpus.pixel_bomb_png, "too_many_pixels"),
    "a rare coding": (odd_jpegs.twelve_bits, "unusual_image"),
    "a locked PDF": (hostile_pdfs.locked_pdf, "password_protected"),
}


@pytest.mark.parametrize("name", BAD_THIRDS)
async def test_the_third_of_five_is_named_whatever_is_wrong_with_it(
    decoder: Decoder, name: str
) -> None:
    make, code = BAD_THIRDS[name]
    good = corpus.plain_jpeg()
    refused = await _refusal(decoder, good, good, make(), good, good)
    assert (refused.code, refused.values) == (code, {"part": 3})


async def test_there_are_not_too_many_parts(decoder: Decoder) -> None:
    refused = await _refusal(decoder, *[corpus.plain_jpeg()] * 41)
    assert refused.code == "too_many_parts"


# --- PDF ---


async def test_a_pdf_is_always_rewritten_and_the_owner_told(decoder: Decoder) -> None:
    inspection, copy = await inspected(decoder, corpus.authored_pdf(3))
    assert (inspection.pages, inspection.rendition) == (3, MediaType.PDF)
    assert inspection.notes == (Note.PDF_DETAILS_REMOVED,)
    assert b"https://example.org/" in written_objects(copy)
    again, copy_again = await inspected(decoder, copy)
    assert (again.notes, copy_again) == ((), copy)


@pytest.mark.parametrize("where", [*hostile_pdfs.ACTIVE, "escaped"])
async def test_a_pdf_that_acts_is_cleaned_and_said_so(decoder: Decoder, where: str) -> None:
    escaped = where == "escaped"
    data = hostile_pdfs.escaped_script_pdf() if escaped else hostile_pdfs.active_pdf(where)
    inspection, copy = await inspected(decoder, data)
    assert inspection.rendition is MediaType.PDF
    attached = where in {"embedded", "file_annotation"}
    note = Note.PDF_ATTACHMENTS_REMOVED if attached else Note.PDF_ACTIVE_CONTENT_REMOVED
    assert note in inspection.notes
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        assert len(pdf.pages) == (1 if escaped else 2)
    assert ACTIVE_NAMES.search(written_objects(copy)) is None
    again, copy_again = await inspected(decoder, copy)
    assert (again.notes, copy_again) == ((), copy)


@pytest.mark.parametrize("active", [False, True])
async def test_the_copy_of_a_signed_pdf_has_no_signature(decoder: Decoder, active: bool) -> None:
    inspection, copy = await inspected(decoder, hostile_pdfs.signed_pdf(active=active))
    assert {Note.PDF_WAS_SIGNED, Note.PDF_SIGNATURE_LOST} <= set(inspection.notes)
    assert (Note.PDF_ACTIVE_CONTENT_REMOVED in inspection.notes) is active
    assert b"ByteRange" not in written_objects(copy)


async def test_a_pdf_and_zip_polyglot_is_cut_or_refused(decoder: Decoder) -> None:
    inspection, copy = await inspected(decoder, hostile_pdfs.pdf_with_zip())
    assert Note.PDF_TRAILING_DATA_REMOVED in inspection.notes
    assert b"PK" not in copy
    assert (await _refusal(decoder, hostile_pdfs.zip_hidden_in_pdf())).code == "does_not_decode"


async def test_passwords(decoder: Decoder) -> None:
    assert (await _refusal(decoder, hostile_pdfs.locked_pdf())).code == "password_protected"
    _, copy = await inspected(decoder, hostile_pdfs.restricted_pdf())
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        assert not pdf.is_encrypted


# --- refused files ---


@pytest.mark.parametrize(
    "make",
    ["plain_jpeg", "phone_jpeg", "plain_png", "heic", "tiff", "paged_tiff", "pdf"],
)
@pytest.mark.parametrize("share", [0.3, 0.8])
async def test_a_truncated_file_does_not_decode(decoder: Decoder, make: str, share: float) -> None:
    whole = getattr(corpus, make)()
    if make == "phone_jpeg":
        whole = strip.jpeg(whole).data
    refused = await _refusal(decoder, whole[: int(len(whole) * share)])
    assert (refused.kind, refused.code) == (ErrorKind.INVALID, "does_not_decode")


async def test_a_pdf_cut_in_its_last_revision_is_refused(decoder: Decoder) -> None:
    whole = corpus.pdf(1) + b"\n12 0 obj\n<< /Type /Page >>\nendobj\n"
    assert (await _refusal(decoder, whole)).code == "does_not_decode"


@pytest.mark.parametrize("kind", [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"II*\0"])
async def test_a_signature_is_not_enough(decoder: Decoder, kind: bytes) -> None:
    assert (await _refusal(decoder, kind + b"nothing more" * 900)).code == "does_not_decode"


@pytest.mark.parametrize("name", corpus.REFUSED)
async def test_a_type_not_allowed_never_reaches_a_decoder(decoder: Decoder, name: str) -> None:
    refused = await _refusal(decoder, corpus.REFUSED[name])
    assert (refused.kind, refused.code) == (ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed")


async def test_empty_and_too_large(decoder: Decoder) -> None:
    assert (await _refusal(decoder, b"")).code == "file_empty"
    limit = decoder.limits.input_bytes
    refused = await _refusal(decoder, corpus.plain_jpeg() + bytes(limit))
    assert (refused.kind, refused.code, refused.values) == (
        ErrorKind.TOO_LARGE,
        "file_too_large",
        {"limit": limit},
    )


@pytest.mark.parametrize(
    ("make", "code", "limit"),
    [
        ("pixel_bomb_png", "too_many_pixels", None),
        ("pixel_bomb_tiff", "too_many_pixels", None),
        ("huge_picture_pdf", "pdf_too_detailed", None),
        ("many_pages_pdf", "too_many_pages", Limits.pages),
        ("lying_count_pdf", "too_many_pages", Limits.pages),
    ],
)
async def test_bombs_are_refused_by_their_size(
    decoder: Decoder, make: str, code: str, limit: int | None
) -> None:
    file = getattr(corpus, make, None) or getattr(hostile_pdfs, make)
    refused = await _refusal(decoder, file())
    assert (refused.code, refused.values) == (code, {"limit": limit} if limit else {})


async def test_nested_streams_do_not_unfold(decoder: Decoder) -> None:
    refused = await _refusal(decoder, hostile_pdfs.nested_bomb_pdf())
    assert refused.code == "does_not_decode"
    _, copy = await inspected(decoder, hostile_pdfs.nested_bomb_pdf(drawn=False))
    assert len(copy) < 2000


# --- previews ---


@pytest.mark.parametrize(
    "make",
    [
        "phone_jpeg",
        "cmyk_jpeg",
        "talkative_png",
        "deep_png",
        "see_through_png",
        "webp",
        "heic",
        "tiff",
        "deep_tiff",
        "paged_tiff",
        "pdf",
    ],
)
async def test_a_preview_is_small_and_tells_nothing(decoder: Decoder, make: str) -> None:
    data = await decoder.preview(source(getattr(corpus, make)()), account=ACCOUNT)
    shown = _image(data)
    assert shown.format == "JPEG"
    assert shown.width <= 1000
    assert len(data) <= 300 * 1024
    assert not shown.getexif()
    assert set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert corpus.MAKER not in data


async def test_a_preview_is_upright(decoder: Decoder) -> None:
    shown = _image(await decoder.preview(source(corpus.phone_jpeg(6)), account=ACCOUNT))
    assert shown.size == (200, 320)
    assert _close(shown.getpixel((190, 8)), RED)
    assert _close(shown.getpixel((190, 310)), BLUE)


async def test_the_preview_of_a_large_photo_stays_within_its_bytes(decoder: Decoder) -> None:
    data = await decoder.preview(source(corpus.noisy_jpeg(2_000_000)), account=ACCOUNT)
    assert len(data) <= 300 * 1024
    assert _image(data).width <= 1000


async def test_a_preview_of_a_bad_file_is_refused(decoder: Decoder) -> None:
    for bad, code in (
        (hostile_pdfs.locked_pdf(), "password_protected"),
        (corpus.plain_jpeg()[:-100], "does_not_decode"),
        (corpus.pixel_bomb_png(), "too_many_pixels"),
        (b"text", "type_not_allowed"),
    ):
        with pytest.raises(ServiceError) as refused:
            await decoder.preview(source(bad), account=ACCOUNT)
        assert refused.value.code == code
