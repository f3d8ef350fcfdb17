"""The codes of a mandate's pages: which scan is of it."""

from uuid import UUID

import pytest

from base.errors import ServiceError
from base.ids import new_id
from vault.consent.mandate_papers import TAG_BYTES, MandatePaper, PageCode, check_scan, read_code

ONE, OTHER = new_id(), new_id()


def codes(mandate: UUID, *pages: int, of: int = 3) -> list[PageCode]:
    return [PageCode(mandate, page, of) for page in pages]


@pytest.mark.parametrize(
    "read",
    [
        codes(ONE, 1, 2, 3),
        codes(ONE, 3, 1, 2, 1),
        codes(ONE, 1, of=1),
    ],
)
def test_every_page_in_any_order(read: list[PageCode]) -> None:
    check_scan(ONE, read)


@pytest.mark.parametrize(
    ("read", "code"),
    [
        ([], "mandate_scan_unread"),
        (codes(OTHER, 1, 2, 3), "mandate_scan_other"),
        ([*codes(ONE, 1, 2, 3), *codes(OTHER, 1, of=1)], "mandate_scan_other"),
        (codes(ONE, 1, 3), "mandate_scan_incomplete"),
        (codes(ONE, 2, 3), "mandate_scan_incomplete"),
        ([*codes(ONE, 1, of=1), *codes(ONE, 1, 2, of=2)], "mandate_scan_incomplete"),
        ([*codes(ONE, 1, 2, 3), PageCode(ONE, 4, 3)], "mandate_scan_incomplete"),
        ([PageCode(ONE, 0, 0)], "mandate_scan_incomplete"),
    ],
)
def test_another_paper_or_half_of_it_is_told(read: list[PageCode], code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        check_scan(ONE, read)
    assert refused.value.code == code
    assert refused.value.fields == (("document_id",),)


def test_a_code_is_read_in_its_only_spelling() -> None:
    tag = bytes(range(TAG_BYTES))
    text = PageCode(ONE, 2, 12).text(tag)
    # Of a drawing that is not larger: 64 capitals and digits at error correction H.
    assert len(PageCode(ONE, 12, 12).text(tag)) <= 64
    assert read_code(text) == (PageCode(ONE, 2, 12), tag)
    for other in (
        text.lower(),
        text + " ",
        text[:-6],
        "UNEFOIS MANDATE",
        "UNEFOIS CARD",
        "https://x",
    ):
        assert read_code(other) is None


def test_what_is_sealed_is_read_back() -> None:
    paper = MandatePaper((ONE, OTHER), "ar", "printouts/mandate/1", bytes(32))
    assert paper.id == ONE
    assert MandatePaper.read(paper.values()) == paper
    assert MandatePaper.read(None) is None
