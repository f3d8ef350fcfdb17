"""Signed PDFs, with a key and a certificate made for them: in one revision, as a program signs that
writes the file whole."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache

import pikepdf
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers, timestamps
from pyhanko_certvalidator.registry import SimpleCertificateStore

SIGNER = "Mairie de Lille"


@cache
def signer(kind: str = "ec", *, time_stamping: bool = False) -> signers.SimpleSigner:
    """A signer with a certificate of its own making. `kind`: "ec", "rsa" or "pss"."""
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ec"
        else rsa.generate_private_key(65537, 2048)
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SIGNER)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.KeyUsage(True, True, *(False,) * 7), critical=True)
    )
    if time_stamping:
        use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        certificate = certificate.add_extension(use, critical=True)
    der = certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    private = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(der),
        signing_key=keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),
        prefer_pss=kind == "pss",
    )


def signed(pdf: bytes, *, attached: bool = False, kind: str = "ec", whole: bool = True) -> bytes:
    """A signed PDF. `whole`: in one revision, else the signature is added to the file."""
    if attached:
        out = io.BytesIO()
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            opened.attachments["a.txt"] = b"something else"
            opened.save(out)
        pdf = out.getvalue()
    source = io.BytesIO(pdf)
    writer = (
        copy_into_new_writer(PdfFileReader(source)) if whole else IncrementalPdfFileWriter(source)
    )
    metadata = signers.PdfSignatureMetadata(
        field_name="Signature",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
    )
    # In a thread: the library runs an event loop of its own.
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(signers.sign_pdf, writer, metadata, signer=signer(kind))
        return bytes(done.result().getvalue())


def altered(data: bytes) -> bytes:
    """One digit of the first page's size is another one."""
    at = data.index(b"/MediaBox") + len(b"/MediaBox")
    while not 0x31 <= data[at] <= 0x38:
        at += 1
    return data[:at] + bytes([data[at] + 1]) + data[at + 1 :]


def added_to(data: bytes) -> bytes:
    """The same with a revision after the signature."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    writer.root["/Lang"] = generic.pdf_string("fr")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def added_signature(pdf: bytes, kind: str = "rsa", name: str = "Added", **options: object) -> bytes:
    """One more signature, in a revision of its own. `options`: of pyhanko's metadata."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    metadata = signers.PdfSignatureMetadata(field_name=name, **{"md_algorithm": "sha256"} | options)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(signers.sign_pdf, writer, metadata, signer=signer(kind))
        return bytes(done.result().getvalue())


def time_stamped(pdf: bytes) -> bytes:
    """A document timestamp: a signature that has no signer, only a moment."""
    authority = signer("rsa", time_stamping=True)
    stamper = timestamps.DummyTimeStamper(authority.signing_cert, authority.signing_key)
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(signers.PdfTimeStamper(stamper).timestamp_pdf, writer, "sha256")
        return bytes(done.result().getvalue())


def dated(pdf: bytes, moment: bytes) -> bytes:
    """The dictionary of the signature states another moment, of the same length or shorter."""
    found = re.search(rb"/M ?[(](?:[^)\\]|\\.)*[)]", pdf)
    assert found is not None
    return pdf.replace(found[0], (b"/M (" + moment + b")").ljust(len(found[0])))


def contents(pdf: bytes) -> bytes:
    """The signature itself, in hexadecimal."""
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    return pdf[start : pdf.index(b">", start)]
