"""The sample documents are what they say."""

import io

import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageStat

from bench import phone_heic, samples


@pytest.mark.parametrize("size", [(1100, 600), (320, 200)])
def test_a_heic_in_tiles_is_one_picture(size: tuple[int, int]) -> None:
    pillow_heif.register_heif_opener()
    picture = Image.merge("RGB", [Image.linear_gradient("L").resize(size)] * 3)
    data = phone_heic.grid(picture, 90)
    assert data.count(b"infe") == -(-size[0] // 512) * -(-size[1] // 512) + 1
    for each in (data, samples.varied(data, 7)):
        with Image.open(io.BytesIO(each)) as shown:
            assert shown.size == size
            difference = ImageChops.difference(shown.convert("RGB"), picture)
    assert max(ImageStat.Stat(difference).mean) < 3
