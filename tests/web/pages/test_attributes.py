"""No element of a page says one attribute twice: a browser takes the first, and a PIN would be
shown that the second was to hide."""

import re

import httpx

from tests.fixtures import Served

_ELEMENT = re.compile(r"<([a-z][\w-]*)((?:\s+[\w:-]+(?:=\"[^\"]*\")?)*)\s*/?>")
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
