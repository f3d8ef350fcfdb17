"""Sample files of the decoding tests, made on demand: valid, invalid, decompression bombs. Hostile
PDFs are in `hostile_pdfs`."""

import io
import struct
import zipfile
import zlib
from functools import cache
from typing import Any

import img2pdf
import pikepdf
import pillow_heif
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, ImageCms, ImageDraw, TiffImagePlugin

from vault.decoding import pdfs
from vault.decoding.media import Limits

MAKER = b"TelephoneMaker"


COMMENT = b"a comment about the photographer"


MOTION_PHOTO = struct.pack(">I4s4sI4s", 24, b"ftyp", b"isom", 512, b"mp42") + b"moov" * 500


@cache
def _heif_ready() -> None:
    pillow_heif.register_heif_opener()


def picture(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """A scene whose top-left corner is red and top-right is blue, so that turning it shows."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 4, height // 4), fill=(220, 20, 20))
    draw.rectangle((3 * width // 4, 0, width, height // 4), fill=(20, 20, 220))
    return image.convert(mode)


@cache
def profile() -> bytes:
    """A real ICC profile, made once per run: its creation time would make equal files differ."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1, *, place: bool = True) -> bytes:
    """An EXIF block as phones write it: maker, dates, location."""
    block = Image.Exif()
    block[0x010F] = MAKER.decode()
    block[0x0110] = "Model 12"
    block[0x0112] = orientation
    block[0x0132] = "2026:01:01 10:00:00"
    if place:
        block[0x8825] = {1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 7.0)}
    return block.tobytes()


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    _heif_ready()
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """A JPEG marker segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


# --- JPEG ---


def plain_jpeg(**options: object) -> bytes:
    """Only the picture, without metadata."""
    return _saved(picture(), "JPEG", quality=90, **options)


def phone_jpeg(orientation: int = 6, *, progressive: bool = False) -> bytes:
    """Location, maker, an embedded thumbnail, MPF, XMP, IPTC, a comment, a video after the end."""
    base = _saved(
        picture(),
        "MPO",
        save_all=True,
        append_images=[picture(40, 40)],
        quality=90,
        icc_profile=profile(),
        progressive=progressive,
    )
    thumbnail = _saved(picture(80, 50), "JPEG")
    extra = (
        segment(0xE1, exif(orientation))
        + segment(0xE1, b"Exif\x00\x00" + thumbnail)
        + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x exif:GPSLatitude='48'/>")
        + segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04iptc caption")
        + segment(0xE0, b"JFXX\x00\x10" + thumbnail)
        + segment(0xFE, COMMENT)
    )
    return base[:2] + extra + base[2:] + MOTION_PHOTO


def restart_jpeg() -> bytes:
    """Restart markers in the scan, fill bytes before a marker, stray bytes between segments."""
    base = plain_jpeg(restart_marker_blocks=4)
    tables = base.index(b"\xff\xdb")
    return base[:tables] + b"\xff\xff\xff" + base[tables:-2] + b"\xff\xff" + base[-2:]


def cmyk_jpeg() -> bytes:
    return _saved(picture().convert("CMYK"), "JPEG", quality=90)


def jpeg_with_html() -> bytes:
    page = b"<html><script>alert(1)</script></html>"
    base = plain_jpeg()
    return base[:2] + segment(0xFE, page) + base[2:] + page


def jpeg_with_zip() -> bytes:
    return plain_jpeg() + zip_file()


def noisy_jpeg(least_bytes: int) -> bytes:
    """The size of a real photo: noise on the picture, with a location."""
    width = 1200
    while True:
        noise = Image.effect_noise((width, width * 3 // 4), 40).convert("RGB")
        mixed = Image.blend(picture(*noise.size), noise, 0.35)
        data = _saved(mixed, "JPEG", quality=92, exif=exif(6))
        if len(data) >= least_bytes:
            return data
        width = int(width * 1.25)


# --- PNG ---


def plain_png(mode: str = "RGB") -> bytes:
    return _saved(picture(mode=mode), "PNG")


def chunk(kind: bytes, payload: bytes) -> bytes:
    """A PNG chunk."""
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def talkative_png(orientation: int = 6) -> bytes:
    """Text, time, EXIF with a location, a profile, and another file after the end."""
    base = _saved(picture(), "PNG", icc_profile=profile(), dpi=(300, 300))
    extra = (
        chunk(b"tEXt", b"Author\x00" + MAKER)
        + chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00<x GPSLatitude='48'/>")
        + chunk(b"tIME", bytes(7))
        + chunk(b"eXIf", exif(orientation)[6:])
        + chunk(b"prVt", b"private")
    )
    return base[:33] + extra + base[33:] + zip_file()


def deep_png() -> bytes:
    """16 bits per sample."""
    return _saved(deep_grey(), "PNG")


def deep_grey() -> Image.Image:
    """16 bits of grey, from black at the top to white at the bottom."""
    rows = b"".join(struct.pack("<H", row * 257) * 64 for row in range(256))
    return Image.frombytes("I;16", (64, 256), rows)


def see_through_png() -> bytes:
    image = picture().convert("RGBA")
    image.putalpha(128)
    return _saved(image, "PNG")


def pixel_bomb_png(side: int = 40_000) -> bytes:
    """A few KiB that declare 1.6 gigapixels."""
    row = zlib.compressobj(9)
    body = row.compress(bytes(side // 8 + 1) * 100) + row.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


# --- others ---


def webp() -> bytes:
    return _saved(picture(), "WEBP", quality=80, exif=exif(6))


def animated_webp() -> bytes:
    frames = [picture(), picture().rotate(90)]
    return _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100)


def heic(orientation: int = 6) -> bytes:
    return _saved(picture(), "HEIF", quality=70, exif=exif(orientation))


def heif() -> bytes:
    """The same picture under the general brand."""
    data = heic(1)
    return data.replace(b"ftypheic", b"ftypmif1", 1)


def noisy_heic(least_bytes: int) -> bytes:
    width = 1600
    while True:
        noise = Image.effect_noise((width, width * 3 // 4), 40).convert("RGB")
        data = _saved(Image.blend(picture(*noise.size), noise, 0.35), "HEIF", quality=85)
        if len(data) >= least_bytes:
            return data
        width = int(width * 1.25)


def tiff(mode: str = "RGB", *, orientation: int = 1, compression: str = "tiff_lzw") -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = orientation
    tags[0x010F] = MAKER.decode()
    return _saved(picture(mode=mode), "TIFF", compression=compression, tiffinfo=tags)


def deep_tiff() -> bytes:
    return _saved(deep_grey(), "TIFF")


def paged_tiff(pages: int = 3) -> bytes:
    images = [picture(200 + 10 * n, 200) for n in range(pages)]
    images[-1] = images[-1].convert("1")
    return _saved(images[0], "TIFF", save_all=True, append_images=images[1:])


def pixel_bomb_tiff() -> bytes:
    entries = [(256, 4, 60_000), (257, 4, 60_000), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
    entries += [(273, 4, 8), (277, 3, 1), (278, 4, 60_000), (279, 4, 16)]
    written = b"".join(
        struct.pack("<HHI", tag, kind, 1)
        + (struct.pack("<I", value) if kind == 4 else struct.pack("<HH", value, 0))
        for tag, kind, value in entries
    )
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + written + bytes(4) + bytes(16)


# --- PDF ---


def pdf_bytes(pdf: pikepdf.Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    pdf.save(out, **options)
    return out.getvalue()


def _page(pdf: pikepdf.Pdf, text: str = "Attestation") -> Dictionary:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    drawn = f"1 0 0 rg 50 700 100 60 re f BT /F1 24 Tf 72 500 Td ({text}) Tj ET".encode()
    return Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, 595, 842]),
        Resources=Dictionary(Font=Dictionary(F1=font)),
        Contents=pdf.make_stream(drawn),
    )


def blank_pdf(pages: int = 1) -> pikepdf.Pdf:
    """An open PDF of drawn pages, for hostile content to be added."""
    pdf = pikepdf.new()
    for number in range(pages):
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(_page(pdf, f"Page {number + 1}"))))
    return pdf


@cache
def pdf(pages: int = 3) -> bytes:
    """Three ordinary pages with a link, written as recipients' copies are: the copy is the same."""
    return pdfs.examine(authored_pdf(pages), Limits()).cleaned


def authored_pdf(pages: int = 3) -> bytes:
    """The same with the name of an author, which goes."""
    made = blank_pdf(pages)
    link = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=Array([0, 0, 9, 9]),
        A=Dictionary(S=Name.URI, URI=String("https://example.org/")),
    )
    made.pages[0].obj.Annots = Array([made.make_indirect(link)])
    made.docinfo["/Author"] = "Somebody"
    return pdf_bytes(made)


def pdf_of(samples: bytes) -> bytes:
    """A page that shows these bytes, as they are, as the grey samples of an image of rows of 1024:
    recipients get them too."""
    made = blank_pdf(1)
    image = made.make_stream(
        samples,
        Type=Name.XObject,
        Subtype=Name.Image,
        ColorSpace=Name.DeviceGray,
        Width=1024,
        Height=len(samples) // 1024,
        BitsPerComponent=8,
    )
    page = made.pages[0].obj
    page.Resources = Dictionary(XObject=Dictionary(Noise=image))
    page.Contents = made.make_stream(b"q 500 0 0 700 40 60 cm /Noise Do Q")
    return pdf_bytes(made, compress_streams=False)


def heavy_pdf(least_bytes: int) -> bytes:
    made: bytes = img2pdf.convert([noisy_jpeg(least_bytes // 3)] * 3)
    return made


# --- types that are refused ---


def zip_file() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w/>" * 300)
    return out.getvalue()


def gif_with_archive() -> bytes:
    return _saved(picture().convert("P"), "GIF") + zip_file()


REFUSED: dict[str, bytes] = {
    "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "html": b"<!doctype html><html></html>",
    "zip": b"PK\x03\x04" + bytes(60),
    "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "text": b"Bonjour, voici mon attestation.",
    "mp4": MOTION_PHOTO,
    "quicktime": struct.pack(">I4s4sI4s", 20, b"ftyp", b"qt  ", 0, b"qt  "),
    "avif": struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"avif", 0, b"mif1", b"miaf"),
    "avif_as_mif1": struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"mif1", 0, b"avif", b"miaf"),
    "executable": b"MZ" + bytes(100),
    "very_late_pdf": b"\n" * 1100 + b"%PDF-1.7\n",
    "pdf_in_a_page": b"<html>\n%PDF-1.7\n",
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "jpeg_xl": b"\x00\x00\x00\x0cJXL \r\n\x87\n",
    "bigtiff": b"II+\x00" + bytes(20),
    "one_byte": b"%",
    "zeros": bytes(5000),
}
