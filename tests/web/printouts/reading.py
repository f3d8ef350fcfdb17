"""A printed page as other programs read it: poppler, qpdf, and the tags as pikepdf has them."""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

PAGE_WIDTH = 595.28
"""Points: A4."""
MARGIN = 56.69
"""Points: two centimetres."""


def text_of(pdf: bytes) -> str:
    """The words as poppler copies them, on one line; without its marks of direction."""
    needs("pdftotext")
    done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    text = done.stdout.decode()
    return " ".join("".join(c for c in text if not "\u202a" <= c <= "\u202e").split())


def edges_of(pdf: bytes) -> tuple[float, float]:
    """Where the leftmost word begins, and the rightmost one ends."""
    found = [(begin, end) for begin, end, _ in _words(pdf)]
    return min(begin for begin, _ in found), max(end for _, end in found)


def ends_of(pdf: bytes, word: str) -> list[float]:
    """Where each of these words in Arabic ends at the right, in points, as poppler sees it: there,
    its letters stand as they are drawn, from left to right."""
    return [end for _, end, text in _words(pdf) if text == word[::-1]]


def starts_of(pdf: bytes, word: str) -> list[float]:
    """Where each of these words, which is read from left to right, begins."""
    return [start for start, _, text in _words(pdf) if text == word]


def _words(pdf: bytes) -> list[tuple[float, float, str]]:
    needs("pdftotext")
    command = ["pdftotext", "-bbox", "-", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    shape = r'xMin="([\d.-]+)"[^>]*xMax="([\d.-]+)"[^>]*>([^<]*)</word>'
    found = re.findall(shape, done.stdout.decode())
    return [(float(begin), float(end), text) for begin, end, text in found]


def places_of(pdf: bytes) -> list[tuple[tuple[float, ...], str]]:
    """Each word with its box: left, top, right and bottom, in points."""
    needs("pdftotext")
    command = ["pdftotext", "-bbox", "-", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    shape = r'xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">([^<]*)</word>'
    found = re.findall(shape, done.stdout.decode())
    return [(tuple(map(float, sides)), word) for *sides, word in found]


def faults_of(pdf: bytes, folder: Path) -> str:
    """What qpdf finds wrong; nothing for a sound file."""
    needs("qpdf")
    file = folder / "printed.pdf"
    file.write_bytes(pdf)
    done = subprocess.run(["qpdf", "--check", file], capture_output=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).decode()


def needs(program: str) -> None:
    """Skip without the program; in continuous integration, the test then fails."""
    if shutil.which(program) is None and os.environ.get("CI") != "true":
        pytest.skip(f"no {program} here: make packages")


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


def elements(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """The elements of the tree of tags, in the order in which they are read."""
    pending = [pdf.Root.StructTreeRoot.K[0]]
    while pending:
        element = pending.pop()
        yield element
        children = element.get("/K", pikepdf.Array())
        listed = list(children) if isinstance(children, pikepdf.Array) else [children]
        pending += [one for one in reversed(listed) if isinstance(one, pikepdf.Dictionary)]
