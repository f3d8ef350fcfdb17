"""Harmless PDFs by the programs that papers come from: a browser, cairo, MuPDF, a signer."""

import datetime
import io
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from asn1crypto import keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import sync_playwright
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

CHROMIUM = "/usr/bin/chromium"
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_SQUARE = "<svg width=90 height=60><rect width=90 height=60 fill='teal'/><circle r=20 cx=45 cy=30 fill='url(#g)'/><defs><linearGradient id=g><stop stop-color=red /><stop offset=1 stop-color=blue /></linearGradient></defs></svg>"  # noqa: E501

PAGES: dict[str, tuple[str, dict[str, object]]] = {
    "letter": ("<h1>Attestation</h1><p>Je soussigné, <b>Amina</b>, né à <i>Lyon</i>.</p>", {}),
    "Arabic": ("<html lang=ar dir=rtl><h1>شهادة سكن</h1><p>أنا الموقع أدناه، أمينة</p>", {}),
    "both directions": (
        "<p>Le mot <bdi lang=ar>مستند</bdi> veut dire document (12 / ٣٤).</p><p dir=rtl>العنوان:"
        " 12 rue des Lilas, Lyon</p>",
        {},
    ),
    "alphabets": ("<p>Ελληνικά, кириллица, ქართული, Ğüş, œuvre, €, ﬁ</p>", {}),
    "table": (
        "<table border=1><caption>Loyer</caption><tr><th scope=col>Mois<th scope=col>Somme"
        "<tr><td>Janvier<td>450,00 €<tr><td>Février<td>450,00 €</table>",
        {},
    ),
    "links": (
        "<a href='https://example.org/aide'>Aide</a> <a href='#bas'>Bas</a>"
        "<div style='height:900px'></div><h2 id=bas>Bas</h2>",
        {},
    ),
    "outline": ("<h1>Un</h1><p>a</p><h2>Deux</h2><p>b</p><h1>Trois</h1>", {"outline": True}),
    "drawing": (
        _SQUARE + "<div style='background:linear-gradient(red,blue);height:60px'></div>",
        {},
    ),
    "shadows": (
        "<div style='box-shadow:4px 4px 9px #333;opacity:.6;background:#fc6;padding:9px'>x</div>",
        {},
    ),
    "form": ("<input value=Amina> <input type=checkbox checked> <textarea>Lyon</textarea>", {}),
    "landscape": ("<h1>En largeur</h1>", {"landscape": True}),
    "pages": ("<p style='break-after:page'>x</p>" * 8, {}),
    "lists": (
        "<ul><li>Un<li>Deux<ol><li>Trois</ol></ul><img alt='Une figure' src='data:image/"
        "png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAW"
        "jR9awAAAABJRU5ErkJggg==' width=40 height=40>",
        {},
    ),
    "untagged": ("<h1>Sans balises</h1>", {"tagged": False}),
}


@cache
def printed() -> dict[str, bytes]:
    """What a browser prints, by the page's name: one start for all."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        page = browser.new_page()
        found = {}
        for name, (html, options) in PAGES.items():
            page.set_content("<!doctype html><meta charset=utf-8>" + html)
            size = {"width": "105mm", "height": "148mm", "tagged": True}
            found[name] = page.pdf(**{**size, **options})  # type: ignore[arg-type]
        browser.close()
    return found


# --- cairo and MuPDF ---


def _run(command: list[str], data: bytes, folder: Path, source: str) -> bytes:
    given, made = folder / source, folder / "out.pdf"
    given.write_bytes(data)
    subprocess.run([*command, str(given), str(made)], check=True, capture_output=True)
    return made.read_bytes()


def by_cairo(data: bytes, folder: Path) -> bytes:
    """The same pages, drawn anew."""
    return _run(["pdftocairo", "-pdf"], data, folder, "in.pdf")


def by_mupdf(data: bytes, folder: Path) -> bytes:
    """The same pages, written by MuPDF with its own cleaning."""
    return _run(["mutool", "clean", "-s", "-g", "-z"], data, folder, "in.pdf")


def from_text(folder: Path) -> bytes:
    """A page that MuPDF writes from commands, with a font of its own."""
    page = folder / "page.txt"
    page.write_text(
        "%%MediaBox 0 0 298 420\n%%Font F1 Times-Roman\n"
        "BT /F1 24 Tf 20 300 Td (Attestation) Tj ET 1 0 0 rg 20 200 90 40 re f\n"
    )
    made = folder / "made.pdf"
    command = ["mutool", "create", "-o", str(made), str(page)]
    subprocess.run(command, check=True, capture_output=True)
    return made.read_bytes()


# --- a signer ---


@cache
def _signer() -> signers.SimpleSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mairie de Lyon")])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=9))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signers.SimpleSigner(
        signing_cert=asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        cert_registry=SimpleCertificateStore(),
        signing_key=keys.PrivateKeyInfo.load(private),
    )


def signed(data: bytes, *, certified: bool = False, visible: bool = True) -> bytes:
    """The file signed: a revision is appended, with a stamp on the first page if `visible`."""
    box = (150, 20, 280, 90) if visible else None
    return signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(data), strict=False),
        signers.PdfSignatureMetadata(
            field_name="signature",
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=certified,
        ),
        signer=_signer(),
        new_field_spec=fields.SigFieldSpec("signature", box=box),
    ).getvalue()


SIGNED: dict[str, Callable[[bytes], bytes]] = {
    "signed with a stamp": signed,
    "certified": lambda data: signed(data, certified=True),
    "signed without a stamp": lambda data: signed(data, visible=False),
}
