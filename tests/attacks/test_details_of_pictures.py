"""What a recipient's copy of a picture tells besides the picture, judged by a reader that is not
ours: exiftool, which knows the places where makers and programs keep details."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.vault.decoding.test_odd_images import TAKEN
from vault.decoding import images, sniff
from vault.decoding.media import Limits

ABOUT_THE_FILE_ITSELF = {"SourceFile", "ExifTool", "System", "File", "Composite", "JFIF", "PNG"}
KEPT = {
    *("IFD0:Orientation", "PNG-pHYs:PixelsPerUnitX", "PNG-pHYs:PixelsPerUnitY"),
    *("PNG-pHYs:PixelUnits", "ICC_Profile:MediaWhitePoint", "ICC_Profile:ChromaticAdaptation"),
    *(f"ICC_Profile:{colour}TRC" for colour in ("Red", "Green", "Blue", "Gray")),
    *(f"ICC_Profile:{colour}MatrixColumn" for colour in ("Red", "Green", "Blue")),
}
THE_SAME_IN_ALL = {
    "ICC_Profile:ProfileDescription": "Colours",
    "ICC_Profile:ProfileCopyright": "None",
    "PNG:ProfileName": "icc",
}
NAMELESS = re.compile(r"|0|0000:00:00 00:00:00")


def _nameless(name: str, value: object) -> bool:
    """Whether a field of a profile's header says nothing of a device, a maker or a moment."""
    identifying = ("CMMType", "DateTime", "Creator", "Manufacturer", "Model", "ProfileID")
    if not name.endswith(identifying):
        return True
    return NAMELESS.fullmatch(str(value).replace("\0", "").strip()) is not None


def test_exiftool_finds_nothing_about_device_place_author_or_moment(tmp_path: Path) -> None:
    if shutil.which("exiftool") is None and not os.environ.get("CI"):
        pytest.skip("no exiftool here: apt install libimage-exiftool-perl")
    images.prepare()
    for number, (name, make) in enumerate(TAKEN.items()):
        data = make()
        kind = sniff.media_type(data[: sniff.PREFIX_BYTES])
        assert kind is not None, name
        copy = images.examine(data, kind, Limits()).pages[0]
        (tmp_path / f"{number}.jpg").write_bytes(copy)
    command = ["exiftool", "-json", "-G1", "-a", "-u", "-U", "-ee", str(tmp_path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert len(found) == len(TAKEN)
    for picture in found:
        for name, value in picture.items():
            group = name.partition(":")[0]
            if group == "ICC-header":
                assert _nameless(name, value), (name, value)
            elif name in THE_SAME_IN_ALL:
                assert value == THE_SAME_IN_ALL[name]
            elif name not in KEPT:
                assert group in ABOUT_THE_FILE_ITSELF, (name, value)
                assert not name.startswith(("PNG:Text", "File:Comment")), (name, value)
