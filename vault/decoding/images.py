"""Images: decodes them in full and makes the copy for recipients. Runs only inside a child."""

import io
from dataclasses import dataclass

import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageOps

from vault.decoding import strip
from vault.decoding.media import Limits, MediaType, Note, Part, Undecodable
from vault.decoding.preview_jpeg import PREVIEW_WIDTH

_FORMATS: dict[MediaType, tuple[str, ...]] = {
    MediaType.JPEG: ("JPEG",),
    MediaType.PNG: ("PNG",),
    MediaType.WEBP: ("WEBP",),
    MediaType.HEIC: ("HEIF",),
    MediaType.HEIF: ("HEIF",),
    MediaType.TIFF: ("TIFF",),
}
_QUALITY = 92


@dataclass(frozen=True)
class Picture:
    """An image that decodes: one JPEG or PNG per page, its orientation either applied or kept."""

    part: Part
    pages: tuple[bytes, ...]
    media_type: MediaType
    unchanged: bool
    notes: tuple[Note, ...]
    preview: Image.Image
    """The first page as recipients get it, upright, small, in sRGB."""


def prepare() -> None:
    """Loads the decoders. Pixel counts are checked by `Limits`, not by pillow's warnings."""
    Image.MAX_IMAGE_PIXELS = None
    pillow_heif.register_heif_opener(
        decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
    )
    Image.init()


def examine(data: bytes, media_type: MediaType, limits: Limits) -> Picture:
    """Decodes every pixel. Raises `Undecodable`, or any exception of the decoder."""
    if media_type is MediaType.JPEG:
        return _stripped(data, strip.jpeg(data), media_type, limits)
    if media_type is MediaType.PNG:
        return _stripped(data, strip.png(data), media_type, limits)
    return _converted(data, media_type, limits)


def _open(data: bytes, media_type: MediaType, limits: Limits) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=_FORMATS[media_type])
    _measure(image, limits)
    return image


def _measure(image: Image.Image, limits: Limits) -> None:
    if image.width * image.height > limits.pixels:
        raise Undecodable("too_many_pixels", limit=limits.pixels)


def _stripped(data: bytes, result: strip.Stripped, kind: MediaType, limits: Limits) -> Picture:
    with _open(result.data, kind, limits) as image:
        shown = as_shown(image)
        width, height = image.size
    if result.orientation >= 5:
        width, height = height, width
    unchanged = result.data == data
    notes = () if unchanged else (Note.PHOTO_DETAILS_REMOVED,)
    if result.located:
        notes = (Note.PHOTO_LOCATION_REMOVED, *notes)
    if kind is MediaType.PNG and b"acTL" in data[:4096]:
        notes = (*notes, Note.FIRST_IMAGE_ONLY)
    part = Part(kind, 1, width, height)
    return Picture(part, (result.data,), kind, unchanged, notes, _small(shown, PREVIEW_WIDTH))


def _converted(data: bytes, kind: MediaType, limits: Limits) -> Picture:
    with _open(data, kind, limits) as image:
        exif = image.getexif()
        notes: tuple[Note, ...] = (
            (Note.PHOTO_DETAILS_REMOVED,) if _has_maker_data(image, exif) else ()
        )
        if ExifTags.IFD.GPSInfo in exif or b"GPSLatitude" in _xmp(image):
            notes = (Note.PHOTO_LOCATION_REMOVED, *notes)
        frames: int = getattr(image, "n_frames", 1)
        page_count = frames if kind is MediaType.TIFF else 1
        if page_count > limits.pages:
            raise Undecodable("too_many_pages", limit=limits.pages)
        if frames > page_count:
            notes = (*notes, Note.FIRST_IMAGE_ONLY)
        pages, sizes = [], []
        for number in range(page_count):
            if number:
                image.seek(number)
                _measure(image, limits)
            shown = as_shown(image)
            sizes.append(shown.size)
            profile = shown.info.get("icc_profile")
            pages.append(encode(shown, lossless_bilevel=page_count > 1))
            if number == 0:
                shown.info = {"icc_profile": profile}
                first = _small(shown, PREVIEW_WIDTH)
    part = Part(kind, page_count, *sizes[0])
    return Picture(part, tuple(pages), MediaType.JPEG, unchanged=False, notes=notes, preview=first)


def _xmp(image: Image.Image) -> bytes:
    xmp = image.info.get("xmp", b"")
    return xmp if isinstance(xmp, bytes) else str(xmp).encode()


def _has_maker_data(image: Image.Image, exif: Image.Exif) -> bool:
    """Whether there is EXIF or XMP data. Of a TIFF's own tags only camera and date count."""
    if image.format == "TIFF":
        return bool({ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.DateTime} & set(exif))
    return bool(exif) or bool(_xmp(image))


def as_shown(image: Image.Image) -> Image.Image:
    """The image upright, in grey or RGB (or 1-bit), without any metadata except its profile."""
    image.load()
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    shown = _in_rgb(upright, profile)
    if shown is image:
        shown = image.copy()
    space = profile[16:20] if isinstance(profile, bytes) and profile[36:40] == b"acsp" else b""
    fits = (shown.mode, space) in {("RGB", b"RGB "), ("L", b"GRAY")}
    shown.info = {"icc_profile": profile} if fits else {}
    return shown


def _in_rgb(image: Image.Image, profile: object) -> Image.Image:
    if image.mode in {"1", "L", "RGB"}:
        return image
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling.
        return Image.frombytes("L", image.size, image.tobytes("raw", "I;16B")[::2])
    if image.mode in {"I", "F"}:
        return _scaled(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        background = Image.new("RGB", image.size, "white")
        background.paste(layer, mask=layer.getchannel("A"))
        return background
    if image.mode == "CMYK" and isinstance(profile, bytes):
        return _from_cmyk(image, profile)
    return image.convert("L" if image.mode == "LA" else "RGB")


def _scaled(image: Image.Image) -> Image.Image:
    low, high = image.getextrema()
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        raise Undecodable
    gain = 255 / ((high - low) or 1)
    return image.convert("F").point(lambda level: level * gain - low * gain).convert("L")


def _from_cmyk(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")
    return converted or image.convert("RGB")


def encode(image: Image.Image, *, lossless_bilevel: bool = False) -> bytes:
    """JPEG with its profile and no other metadata; a fax page for a PDF stays 1-bit, as PNG."""
    out = io.BytesIO()
    if image.mode == "1" and lossless_bilevel:
        image.save(out, "PNG")
        return out.getvalue()
    profile = image.info.pop("icc_profile", None)
    sharp = image.convert("L") if image.mode == "1" else image
    sharp.save(out, "JPEG", quality=_QUALITY, subsampling="4:2:0", icc_profile=profile)
    return out.getvalue()


def preview(data: bytes, media_type: MediaType, limits: Limits, width: int) -> Image.Image:
    """The first image, upright, small, in sRGB."""
    with _open(data, media_type, limits) as image:
        if image.format == "JPEG":
            image.draft(None, (width, width))
        shown = as_shown(image)
    return _small(shown, width)


def _small(shown: Image.Image, width: int) -> Image.Image:
    """A picture from `as_shown`, which it changes, made small and in sRGB."""
    profile = shown.info.pop("icc_profile", None)
    shown = shown.convert("L") if shown.mode == "1" else shown
    shown.thumbnail((width, 2 * width), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return _in_srgb(shown, profile)


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    if not isinstance(profile, bytes) or image.mode != "RGB":
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image
