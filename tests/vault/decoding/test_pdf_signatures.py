"""The signatures of a PDF, read inside a child as they are read beside it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter

from tests.vault.decoding import corpus, signed_pdfs
from tests.vault.decoding.inputs import inspected
from tests.vault.decoding.signed_pdfs import added_signature, dated, signed, time_stamped
from vault.decoding import pdf_body, pdf_signatures
from vault.decoding.decoder import Decoder
from vault.decoding.media import Note

_PADES = {"subfilter": SigSeedSubFilter.PADES}
WHOLE = signed(corpus.pdf(1))
UNDATED = added_signature(corpus.pdf(1), **_PADES)
MADE = {
    "elliptic curve": (WHOLE, ["whole"]),
    "RSA": (signed(corpus.pdf(1), kind="rsa"), ["whole"]),
    "RSA-PSS": (signed(corpus.pdf(1), kind="pss"), ["whole"]),
    "SHA-512": (added_signature(corpus.pdf(1), md_algorithm="sha512"), ["whole"]),
    "PAdES": (UNDATED, ["whole"]),
    "certified": (
        added_signature(corpus.pdf(1), certify=True, docmdp_permissions=MDPPerm.NO_CHANGES),
        ["whole"],
    ),
    "two": (added_signature(WHOLE), ["added_to", "whole"]),
    "two and a timestamp": (time_stamped(added_signature(WHOLE)), ["added_to", "added_to"]),
    "a timestamp alone": (time_stamped(corpus.pdf(1)), []),
    "altered": (signed_pdfs.altered(WHOLE), ["altered"]),
    "added to": (signed_pdfs.added_to(WHOLE), ["added_to"]),
    "bytes before": (b"a program\n" + WHOLE, ["added_to"]),
    "bytes after": (WHOLE + b"a program", ["added_to"]),
    "ends of lines after": (WHOLE + b"\r\n\r\n", ["whole"]),
    "of a kind that is not known": (
        WHOLE.replace(b"/adbe.pkcs7.detached", b"/adbe.pkcs7.sha1    "),
        [],
    ),
    "its data is nonsense": (
        WHOLE.replace(signed_pdfs.contents(WHOLE)[:200], b"30" * 100),
        ["altered"],
    ),
    "the first year": (dated(UNDATED, b"D:0001"), ["altered"]),
    "the last year": (dated(UNDATED, b"D:99991231235959-23"), ["altered"]),
    "no moment": (dated(UNDATED, b"yesterday"), ["altered"]),
}


@pytest.mark.parametrize("name", MADE)
async def test_signatures_are_read_inside_as_beside(name: str, decoder: Decoder) -> None:
    data, states = MADE[name]
    found, copy = await inspected(decoder, data)
    assert [each.state for each in found.signatures] == states
    assert Note.PDF_WAS_SIGNED in found.notes
    assert b"/ByteRange" not in copy
    body = pdf_body.body(data)
    with ThreadPoolExecutor(1) as pool:  # the library runs an event loop of its own
        beside = pool.submit(pdf_signatures.read, body.data, alone=body.alone).result()
    assert found.signatures == beside


def test_a_signer_is_named_as_the_certificate_does() -> None:
    (signature,) = pdf_signatures.read(WHOLE)
    assert signature.signer == signed_pdfs.SIGNER
    assert signature.signed_at is not None
