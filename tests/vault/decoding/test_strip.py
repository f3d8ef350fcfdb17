"""What is removed from photos; the pixels do not change."""

import io

import pytest
from PIL import Image, ImageChops

from tests.vault.decoding import corpus
from vault.decoding import colour_profiles, strip
from vault.decoding.media import Undecodable
from vault.decoding.png_structure import Chunk

SECRETS = [corpus.MAKER, corpus.COMMENT, b"GPS", b"MPF", b"ftyp", b"8BIM", b"JFXX", b"PK", b"2026:"]


def _opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def _same_pixels(one: bytes, other: bytes) -> bool:
    first, second = _opened(one), _opened(other)
    return first.mode == second.mode and first.tobytes() == second.tobytes()


@pytest.mark.parametrize("progressive", [False, True])
def test_a_phone_photo_keeps_its_pixels_and_its_sense_and_nothing_else(progressive: bool) -> None:
    original = corpus.phone_jpeg(6, progressive=progressive)
    stripped = strip.jpeg(original)
    assert [secret for secret in SECRETS if secret in stripped.data] == []
    assert all(secret in original for secret in SECRETS if secret not in {b"GPS", b"PK"})
    assert stripped.located
    assert stripped.orientation == 6
    assert _same_pixels(original, stripped.data)
    kept = _opened(stripped.data)
    assert dict(kept.getexif()) == {0x0112: 6}
    assert kept.info["icc_profile"] == colour_profiles.cleaned(corpus.profile())
    assert stripped.data.endswith(b"\xff\xd9")
    assert stripped.data.count(b"\xff\xd8\xff") == 1


def test_the_compressed_scan_is_copied_byte_for_byte() -> None:
    plain, phone = corpus.plain_jpeg(icc_profile=corpus.profile()), corpus.phone_jpeg(1)
    assert strip.jpeg(phone).data == strip.jpeg(plain).data


def test_a_photo_with_nothing_to_take_out_comes_back_equal() -> None:
    plain = corpus.plain_jpeg()
    assert strip.jpeg(plain).data == plain
    assert strip.jpeg(plain).located is False
    again = strip.jpeg(corpus.phone_jpeg()).data
    assert strip.jpeg(again).data == again


def test_restart_markers_fill_bytes_and_stray_bytes_do_not_confuse() -> None:
    original = corpus.restart_jpeg()
    stripped = strip.jpeg(original).data
    assert _same_pixels(original, stripped)
    assert stripped.count(b"\xff\xd0") == original.count(b"\xff\xd0") > 0


def test_the_adobe_transform_of_a_cmyk_photo_stays() -> None:
    original = corpus.cmyk_jpeg()
    assert b"Adobe" in strip.jpeg(original).data
    assert _same_pixels(original, strip.jpeg(original).data)


def test_a_profile_that_is_not_one_goes() -> None:
    hidden = corpus.segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + b"not a profile" * 20)
    plain = corpus.plain_jpeg()
    assert strip.jpeg(plain[:2] + hidden + plain[2:]).data == plain


def test_polyglots_lose_their_other_half() -> None:
    assert strip.jpeg(corpus.jpeg_with_html()).data == corpus.plain_jpeg()
    assert strip.jpeg(corpus.jpeg_with_zip()).data == corpus.plain_jpeg()


@pytest.mark.parametrize("keep", [0, 1, 2, 3, 4, 20, 200, 0.3, 0.9, -40])
def test_a_truncated_jpeg_or_png_is_refused_or_known_to_lack_its_end(keep: float) -> None:
    for cut, data in ((strip.jpeg, corpus.plain_jpeg()), (strip.png, corpus.plain_png())):
        end = int(len(data) * keep) if isinstance(keep, float) else int(keep)
        if cut is strip.jpeg and b"\xff\xda" in data[:end]:
            assert not cut(data[:end]).ended
        else:
            with pytest.raises(Undecodable):
                cut(data[:end])


def test_a_png_keeps_its_pixels_and_its_sense_and_nothing_else() -> None:
    original = corpus.talkative_png(6)
    stripped = strip.png(original)
    assert [secret for secret in SECRETS if secret in stripped.data] == []
    assert b"prVt" not in stripped.data
    assert b"tIME" not in stripped.data
    assert stripped.located
    assert stripped.data[-12:] == original[original.index(b"IEND") - 4 :][:12]
    kept = _opened(stripped.data)
    assert dict(kept.getexif()) == {0x0112: 6}
    assert kept.info["icc_profile"] == colour_profiles.cleaned(corpus.profile())
    assert kept.info["dpi"][0] == pytest.approx(300, abs=0.1)
    assert ImageChops.difference(kept, _opened(original)).getbbox() is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_plain_png_comes_back_equal(mode: str) -> None:
    plain = corpus.plain_png(mode)
    assert strip.png(plain).data == plain
    assert strip.png(corpus.deep_png()).data == corpus.deep_png()


def test_a_palette_that_no_pixel_uses_goes() -> None:
    """It could hold 768 bytes of anything."""
    plain = corpus.plain_png()
    unused = Chunk(b"PLTE", b"Mme Durand,Lyon").written()
    at = plain.index(b"IDAT") - 4
    talking = plain[:at] + unused + plain[at:]
    assert strip.png(talking).data == plain


def test_a_damaged_png_chunk_is_refused() -> None:
    broken = bytearray(corpus.plain_png())
    broken[broken.index(b"IDAT") + 40] ^= 1
    with pytest.raises(Undecodable):
        strip.png(bytes(broken))
