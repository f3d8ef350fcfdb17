"""Colours of decoded images, in grey or RGB, as browsers show them. Runs only inside a child."""

import io
from functools import cache

from PIL import Image, ImageCms

from vault.decoding import colour_profiles
from vault.decoding.media import Undecodable

_PROFILE_SPACES = {"RGB": b"RGB ", "L": b"GRAY"}


def as_browsers_show(image: Image.Image) -> Image.Image:
    """In 1-bit, grey or RGB; `info` holds its cleaned profile at most. May be the same image."""
    image.load()
    profile = image.info.get("icc_profile")
    cleaned = colour_profiles.cleaned(profile) if isinstance(profile, bytes) else None
    shown = _in_rgb(image, cleaned)
    fits = cleaned and colour_profiles.space(cleaned) == _PROFILE_SPACES.get(shown.mode)
    shown.info = {"icc_profile": cleaned} if fits else {}
    return shown


def in_srgb(image: Image.Image) -> Image.Image:
    """The colours that a screen shows, without a profile."""
    profile = image.info.pop("icc_profile", None)
    return image if profile is None else _converted(image, profile)


def _in_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode in {"1", "L", "RGB"} and not image.has_transparency_data:
        return image
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling.
        return Image.frombytes("L", image.size, image.tobytes("raw", "I;16B")[::2])
    if image.mode in {"I", "F"}:
        return _scaled(image)
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode == "CMYK" and profile and colour_profiles.space(profile) == b"CMYK":
        return _converted(image, profile)
    if image.mode == "LAB":
        return _converted(image, _lab())
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in {"L", "LA", "1"}
    layer = image.convert("LA" if grey else "RGBA")
    background = Image.new("L" if grey else "RGB", image.size, "white")
    background.paste(layer.convert(background.mode), mask=layer.getchannel("A"))
    return background


def _scaled(image: Image.Image) -> Image.Image:
    low, high = image.getextrema()
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        raise Undecodable
    gain = 255 / ((high - low) or 1)
    return image.convert("F").point(lambda level: level * gain - low * gain).convert("L")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    """To sRGB by a profile; by the usual rule when LittleCMS refuses the profile."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, _screen(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        converted = None
    return converted or image.convert("RGB")


def screen_profile() -> bytes:
    """The profile of sRGB."""
    return _screen().tobytes()


@cache
def _screen() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _lab() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
