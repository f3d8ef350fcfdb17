"""A signed PDF that holds what its pages do not show is not given as it was signed."""

import re
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from tests.vault.decoding import corpus, pdf_inputs
from tests.vault.decoding.signed_pdfs import signed
from vault.decoding import child, pdf_signatures, pdfs
from vault.decoding.media import Carries, Limits, SignatureState

FIRST, LAST = b"BT (ten euros) Tj ET", b"BT (a hundred euros) Tj ET"


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    pdfs.prepare()


def carried(data: bytes) -> set[Carries]:
    """Of a file whose only signature is whole."""
    assert [each.state for each in pdf_signatures.read(data)] == [SignatureState.WHOLE]
    return set(pdfs.examine(data, Limits()).carries) - {Carries.DETAILS}


def test_plain_files_may_be_given() -> None:
    for data in (pdf_inputs.classic_pdf(2), corpus.pdf_bytes(corpus.blank_pdf(), linearize=True)):
        assert carried(signed(data, whole=False)) == set()
        assert carried(signed(data)) == set()


def _link(pdf: pikepdf.Pdf, **action: object) -> None:
    note = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]))
    note.A = Dictionary(**action)
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(note)])


def _page_of_no_tree(pdf: pikepdf.Pdf) -> pikepdf.Object:
    page = Dictionary(Type=Name.Page, MediaBox=Array([0, 0, 9, 9]))
    page.Contents = pdf.make_stream(FIRST)
    return pdf.make_indirect(page)


def _to_page_of_no_tree(pdf: pikepdf.Pdf) -> None:
    _link(pdf, S=Name.GoTo, D=Array([_page_of_no_tree(pdf), Name.Fit]))


def _next(pdf: pikepdf.Pdf) -> None:
    there = Array([pdf.pages[0].obj, Name.Fit])
    following = Dictionary(S=Name.URI, URI=String("https://elsewhere.example/"))
    _link(pdf, S=Name.GoTo, D=there, Next=following)


def _base(pdf: pikepdf.Pdf) -> None:
    pdf.Root.URI = Dictionary(Base=String("file://elsewhere.example/"))


def _private_stream(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.XXVN_Held = Dictionary(Data=pdf.make_stream(b"PK another file"))


def _template(pdf: pikepdf.Pdf) -> None:
    names = Dictionary(Names=Array([String("a"), _page_of_no_tree(pdf)]))
    pdf.Root.Names = Dictionary(Templates=names)


def _undrawn(pdf: pikepdf.Pdf) -> None:
    form = pdf.make_stream(FIRST, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
    pdf.pages[0].obj.Resources.XObject = Dictionary(F=form)


def _hidden_note(pdf: pikepdf.Pdf) -> None:
    note = Dictionary(Type=Name.Annot, Subtype=Name.FreeText, F=2, Rect=Array([0, 0, 9, 9]))
    note.Contents = String("ten euros")
    pdf.pages[0].obj.Annots = Array([note])


PLANTED: dict[str, tuple[Callable[[pikepdf.Pdf], None], Carries]] = {
    "an address of a file": (
        lambda pdf: _link(pdf, S=Name.URI, URI=String("file://elsewhere.example/a")),
        Carries.EXTERNAL,
    ),
    "an address that is a script": (
        lambda pdf: _link(pdf, S=Name.URI, URI=String("javascript:app.alert(1)")),
        Carries.EXTERNAL,
    ),
    "the start of addresses": (_base, Carries.EXTERNAL),
    "an action after a move": (_next, Carries.EXTERNAL),
    "a command of the reader": (
        lambda pdf: _link(pdf, S=Name.Named, N=Name.SaveAs),
        Carries.ACTIVE,
    ),
    "a stream under a private key": (_private_stream, Carries.EARLIER),
    "a template": (_template, Carries.EARLIER),
    "a page of no tree": (_to_page_of_no_tree, Carries.EARLIER),
    "a drawing that nothing draws": (_undrawn, Carries.EARLIER),
    "a note that is never seen": (_hidden_note, Carries.EARLIER),
}


@pytest.mark.parametrize(("plant", "carries"), PLANTED.values(), ids=PLANTED.keys())
def test_what_the_copy_loses_is_in_the_original(
    plant: Callable[[pikepdf.Pdf], None], carries: Carries
) -> None:
    made = corpus.blank_pdf()
    plant(made)
    assert carries in carried(signed(corpus.pdf_bytes(made)))


# --- between the objects, and before the signature ---


def _plain(**entries: object) -> bytes:
    made = corpus.blank_pdf()
    content = made.make_indirect(made.make_stream(FIRST, **entries))
    made.pages[0].obj.Contents = content
    if entries.get("Held"):
        made.trailer.Info = content
    mode = pikepdf.ObjectStreamMode.disable
    return corpus.pdf_bytes(made, object_stream_mode=mode, compress_streams=False)


def _revised(data: bytes) -> bytes:
    """Another content instead, in a revision of its own."""
    found = re.search(rb"(\d+) 0 obj\s*<<[^>]*>>\s*stream\n" + re.escape(FIRST), data)
    assert found is not None
    held = found[0].replace(FIRST, LAST).replace(b"/Length 20", b"/Length %d" % len(LAST))
    before = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    root, size = (re.findall(key + rb" (\d+)", data)[-1] for key in (rb"/Root", rb"/Size"))
    at = len(data) + len(held) + len(b"\nendstream\nendobj\n")
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Root %d 0 R /Size %d /Prev %d >>\n" % (
        *(int(found[1]), len(data)),
        *(int(root), int(size), before),
    )
    end = b"startxref\n%d\n%%%%EOF\n" % at
    return data + held + b"\nendstream\nendobj\n" + table + end


def _with_stray(stray: bytes) -> bytes:
    data = _plain()
    at = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    moved = data[:at] + stray + data[at:]
    return re.sub(rb"startxref\s+\d+", b"startxref\n%d" % (at + len(stray)), moved)


BEFORE: dict[str, Callable[[], bytes]] = {
    "replaced": lambda: _revised(_plain()),
    "replaced, and called metadata": lambda: _revised(_plain(Type=Name.Metadata)),
    "replaced, and called a table": lambda: _revised(_plain(Type=Name.XRef)),
    "replaced, and called the file's information": lambda: _revised(_plain(Held=True)),
    "replaced, the end of the first gone": lambda: _revised(_plain().replace(b"%%EOF", b"%%---")),
    "an object that no table lists": lambda: _with_stray(
        b"77 0 obj\n<< /Length 20 >>\nstream\n" + FIRST + b"\nendstream\nendobj\n"
    ),
    "bytes between the objects": lambda: _with_stray(b"PK another file" * 9 + b"\n"),
}


@pytest.mark.parametrize("make", BEFORE.values(), ids=BEFORE.keys())
def test_what_stands_before_the_signature_and_is_not_shown_counts(
    make: Callable[[], bytes],
) -> None:
    data = signed(make(), whole=False)
    assert Carries.EARLIER in carried(data)


@pytest.mark.parametrize("where", ["before", "after"])
def test_bytes_around_a_signed_file_count(where: str) -> None:
    """What stands around a signature makes it one that something was added to."""
    data = signed(corpus.pdf_bytes(corpus.blank_pdf()))
    stray = b"another text\n"
    around = stray + data if where == "before" else data + stray
    order = {"job": "inspect", "types": ["application/pdf"]}
    answer, _ = child.run(order, [around], Limits())
    assert [state for _, _, state in answer["signatures"]] == [SignatureState.ADDED_TO]
    assert Carries.ATTACHED in pdfs.examine(around, Limits()).carries
