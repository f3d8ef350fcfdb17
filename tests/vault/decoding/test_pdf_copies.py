"""The bytes of a PDF's copy and of what was opened: no copy too many, an identifier of its own."""

import io

import pikepdf
import pytest

from tests.vault.decoding import corpus, pdf_inputs
from vault.decoding import pdf_body, pdfs
from vault.decoding.media import Limits
from vault.decoding.pdf_body import Body


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    pdfs.prepare()


def blank() -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        return corpus.pdf_bytes(pdf)


def identifier(data: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdfs.examine(data, Limits()).cleaned)) as pdf:
        first, second = (bytes(part) for part in pikepdf.Array(pdf.trailer.ID))
    assert first == second
    return first


def test_a_copy_has_an_identifier_of_its_own() -> None:
    """The same file gives the same one, another file another; it is no fixed one."""
    one, again, other = identifier(blank()), identifier(blank()), identifier(pdf_inputs.form_pdf())
    assert one == again != other
    assert len(one) == 16
    assert not one.startswith(bytes.fromhex("31415926"))


def test_what_ends_in_a_line_is_not_copied_for_it() -> None:
    data = blank()
    assert data.endswith(b"%%EOF\n")
    assert pdf_body.body(data) == Body(data, before=False, after=False, endless=False)
    assert pdf_body.body(data).data is data
    assert pdf_body.body(data[:-1]).data == data
    assert pdf_body.body(data + b"%more\n") == Body(data, before=False, after=True, endless=False)
