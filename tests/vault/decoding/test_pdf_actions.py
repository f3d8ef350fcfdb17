"""What the actions of a PDF do is said, and nothing is said of those that do nothing."""

import pytest
from pikepdf import Array, Dictionary, Name, String

from tests.vault.decoding import corpus
from vault.decoding import pdfs
from vault.decoding.media import Carries, Limits


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    pdfs.prepare()


def _with_link(action: Dictionary) -> bytes:
    made = corpus.blank_pdf(2)
    note = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
    made.pages[0].obj.Annots = Array([note])
    return corpus.pdf_bytes(made)


@pytest.mark.parametrize(
    ("action", "carries"),
    [
        (Dictionary(S=Name.URI, URI=String("file://host/a.exe")), {Carries.EXTERNAL}),
        (Dictionary(S=Name.URI, URI=String("javascript:app.alert(1)")), {Carries.EXTERNAL}),
        (Dictionary(S=Name.URI, URI=String(r"\\host\share")), {Carries.EXTERNAL}),
        (Dictionary(S=Name.URI, URI=String("//host/share")), {Carries.EXTERNAL}),
        (Dictionary(S=Name.URI, URI=String("mailto:contact@example.org")), set()),
        (Dictionary(S=Name.URI, URI=String("www.example.org/a")), set()),
        (Dictionary(S=Name.Named, N=Name.SaveAs), {Carries.ACTIVE}),
        (Dictionary(S=Name.Named, N=Name.NextPage), set()),
        (Dictionary(S=Name.OfTomorrow), {Carries.ACTIVE}),
    ],
)
def test_what_a_link_does_is_said(action: Dictionary, carries: set[Carries]) -> None:
    assert pdfs.examine(_with_link(action), Limits()).carries == carries


@pytest.mark.parametrize("kind", ["list", "dictionary"])
def test_a_page_to_begin_at_is_nothing_active(kind: str) -> None:
    made = corpus.blank_pdf(1)
    place = Array([made.pages[0].obj, Name.Fit])
    made.Root.OpenAction = place if kind == "list" else Dictionary(S=Name.GoTo, D=place)
    assert pdfs.examine(corpus.pdf_bytes(made), Limits()).carries == frozenset()
