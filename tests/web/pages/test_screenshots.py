"""`make screenshots` has a picture of every page: a new one is added to its list."""

from tests.screenshots.pages import BY_A_FORM, NO_PAGES, PAGES, address_of, name_of
from web.pages.site import router


def _paths() -> set[str]:
    found = set()
    for route in router.routes:
        included = getattr(route, "original_router", None)
        for one in [route] if included is None else included.routes:
            if "GET" in (getattr(one, "methods", None) or ()):
                found.add(one.path)
    return found


def test_every_page_has_its_picture() -> None:
    listed = [page for pages in PAGES.values() for page in pages]
    assert len(listed) == len(set(listed)) == len({name_of(page) for page in listed})
    assert {*listed, *BY_A_FORM, *NO_PAGES} == _paths()


def test_an_id_is_taken_from_a_link() -> None:
    links = ["/documents/add", "/documents/0189-ab/version", "/documents/0189-ab?done=added"]
    assert address_of("/documents/{document_id}", links) == "/documents/0189-ab?done=added"
    assert address_of("/documents/{document_id}/version", links) == "/documents/0189-ab/version"
    assert address_of("/grants/{grant_id}", links) is None
