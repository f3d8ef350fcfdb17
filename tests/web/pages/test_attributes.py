"""No element of a page says one attribute twice: a browser takes the first, and a PIN would be
shown that the second was to hide."""

import re

import httpx

from tests.fixtures import Served
from web.pages.rendering import FOLDER

_ELEMENT = re.compile(r"<([a-z][\w-]*)((?:\s+[\w:-]+(?:=\"[^\"]*\")?)*)\s*/?>")
_FORM = re.compile(r'<form [^>]*enctype="multipart/form-data"[^>]*>')
_NAME = re.compile(r"\s([\w:-]+)(?:=\"[^\"]*\")?")


def twice(page: str) -> list[str]:
    found = []
    for element, attributes in _ELEMENT.findall(page):
        names = _NAME.findall(attributes)
        found += [f"{element} {one}" for one in {*names} if names.count(one) > 1]
    return found


async def test_no_component_says_an_attribute_twice(
    served: Served, client: httpx.AsyncClient
) -> None:
    assert twice('<input type="text" id="a" required type="password">') == ["input type"]
    for address in ("/styles", "/", "/card"):
        page = (await client.get(address, headers={"Cookie": "unefois-language=fr"})).text
        assert '<input type="' in page
        assert twice(page) == [], address


def test_only_papers_are_kept_to_be_sent_later() -> None:
    """A form with files that the script sends is kept where the network fails: a consent never is,
    it would be said a day later; nor what goes in pieces to an address of its own, as a copy of all
    papers does. Those that the script may send are named here."""
    kept = {
        "draft_pictures.html",  # a paper that is added
        "draft_retake.html",
        "version.html",
    }
    found = {
        str(file.relative_to(FOLDER)): forms
        for file in sorted(FOLDER.rglob("*.html"))
        if (forms := _FORM.findall(file.read_text()))
    }
    assert "mandate.html" in found
    by_script = {
        name
        for name, forms in found.items()
        if any("data-answer" not in one and "data-pieces" not in one for one in forms)
    }
    assert by_script == kept
