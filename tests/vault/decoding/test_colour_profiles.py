"""A profile keeps its colours and loses what names a device, a maker or a moment."""

import io
import random
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from tests.vault.decoding import profiles
from vault.decoding import colour_profiles

KINDS: dict[str, Callable[[], bytes]] = {
    "screen": profiles.srgb,
    "talkative": lambda: profiles.talkative(profiles.srgb()),
    "other primaries": profiles.wide_rgb,
    "grey": profiles.grey,
    "press, 8 bits": profiles.cmyk,
    "press, 16 bits": lambda: profiles.cmyk(b"mft2"),
    "press, version 4": lambda: profiles.cmyk(b"mAB "),
    "talkative press": lambda: profiles.talkative(profiles.cmyk()),
}
MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}


def _shown(profile: bytes) -> bytes:
    """Every kind of colour of the profile's space, as LittleCMS shows it on a screen."""
    mode = MODES[profile[16:20]]
    channel = Image.linear_gradient("L").resize((32, 32))
    turned = [channel.rotate(90 * n) for n in range(len(Image.new(mode, (1, 1)).getbands()))]
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    image = turned[0] if mode == "L" else Image.merge(mode, turned)
    screen = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, source, screen, outputMode="RGB")
    assert converted is not None
    return converted.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_cleaned_profile_shows_the_same_colours(kind: str) -> None:
    original = KINDS[kind]()
    cleaned = colour_profiles.cleaned(original)
    assert cleaned is not None
    assert _shown(cleaned) == _shown(original)
    assert colour_profiles.cleaned(cleaned) == cleaned
    assert colour_profiles.space(cleaned) == original[16:20]


@pytest.mark.parametrize("kind", KINDS)
def test_no_device_no_maker_no_moment_is_left(kind: str) -> None:
    cleaned = colour_profiles.cleaned(profiles.talkative(KINDS[kind]())) or b""
    assert set(profiles.tags(cleaned)) & {b"prVt", b"dmdd"} == set()
    left = [word for word in (profiles.DEVICE, b"DEV1", b"SAMI", b"HOME") if word in cleaned]
    assert left == []
    for start, end in ((4, 8), (24, 36), (40, 64), (80, 128)):
        assert not any(cleaned[start:end])


def test_two_devices_of_the_same_colours_give_the_same_bytes() -> None:
    plain = colour_profiles.cleaned(profiles.srgb())
    assert colour_profiles.cleaned(profiles.talkative(profiles.srgb())) == plain
    assert colour_profiles.cleaned(profiles.srgb() + b"after its end") == plain


def test_data_hidden_behind_a_kept_tag_goes() -> None:
    kept = profiles.tags(profiles.srgb())
    longer = {name: data + bytes(-len(data) % 4) + profiles.DEVICE for name, data in kept.items()}
    cleaned = colour_profiles.cleaned(profiles.written(profiles.srgb(), longer.items()))
    assert cleaned == colour_profiles.cleaned(profiles.srgb())


@pytest.mark.parametrize("kind", ["screen", "grey", "press, 8 bits", "press, version 4"])
def test_a_damaged_profile_is_none_or_clean_and_never_an_error(kind: str) -> None:
    whole, chance = KINDS[kind](), random.Random(7)
    assert all(colour_profiles.cleaned(whole[:at]) is None for at in range(0, len(whole) - 4, 13))
    for _ in range(300):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        cleaned = colour_profiles.cleaned(bytes(changed))
        assert cleaned is None or colour_profiles.cleaned(cleaned) == cleaned


@pytest.mark.parametrize("taken", [b"rTRC", b"bXYZ"])
def test_a_profile_that_does_not_give_the_colours_is_none(taken: bytes) -> None:
    kept = profiles.tags(profiles.srgb())
    del kept[taken]
    assert colour_profiles.cleaned(profiles.written(profiles.srgb(), kept.items())) is None


def test_what_is_not_a_profile_of_an_image_is_none() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for other in (b"", b"not a profile" * 20, lab, bytes(200)):
        assert colour_profiles.cleaned(other) is None
