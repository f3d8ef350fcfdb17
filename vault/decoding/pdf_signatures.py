"""The electronic signatures of a PDF when it comes in: who, when, whole or not. Runs only inside a
child.

Whether a signature fits the bytes is proved here; whether the signer is who the certificate says is
not: that needs lists of authorities that change every day. The words shown say so.
"""

import io
from datetime import UTC, datetime, timedelta

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.registry import SimpleCertificateStore

from vault.decoding.media import MAX_SIGNATURE_NAME, MAX_SIGNATURES, Signature, SignatureState

_BY_COVERAGE = {
    SignatureCoverageLevel.ENTIRE_FILE: SignatureState.WHOLE,
    SignatureCoverageLevel.ENTIRE_REVISION: SignatureState.ADDED_TO,
}
_DETACHED = "data"
_NAMES = ("common_name", "organization_name", "pseudonym")


def read(pdf: bytes, *, alone: bool = True) -> tuple[Signature, ...]:
    """The first signatures of a PDF, in the order of signing; an unsigned file costs nothing.

    One that cannot be read counts as altered; one of a kind that has no signer, or that is not
    known (adbe.pkcs7.sha1), is left out. `alone`: nothing else was in the file that came in.
    """
    if b"/ByteRange" not in pdf:  # never encrypted, never inside an object stream (ISO 32000 §12.8)
        return ()
    try:
        document = PdfFileReader(io.BytesIO(pdf), strict=False)
        if document.encrypted:
            document.decrypt("")
        found = document.embedded_regular_signatures[:MAX_SIGNATURES]
    except Exception:  # noqa: BLE001  (the reader of a hostile file may raise anything)
        return (Signature(None, None, SignatureState.ALTERED),)
    return tuple(_signature(each, alone=alone) for each in found)


def _signature(found: EmbeddedPdfSignature, *, alone: bool) -> Signature:
    signer = signed_at = None
    try:
        signer = _name(found.signer_cert)
        signed_at = _utc(found.self_reported_timestamp)
        state = _state(found)
    except Exception:  # noqa: BLE001  (as above)
        state = SignatureState.ALTERED
    if state is SignatureState.WHOLE and not alone:
        state = SignatureState.ADDED_TO
    return Signature(signer, signed_at, state)


def _state(found: EmbeddedPdfSignature) -> SignatureState:
    intact, valid = validate_sig_integrity(
        found.signer_info, found.signer_cert, _DETACHED, found.compute_digest()
    )
    if not (intact and valid):
        return SignatureState.ALTERED
    return _BY_COVERAGE.get(found.evaluate_signature_coverage(), SignatureState.ALTERED)


def _name(certificate: asn1_x509.Certificate) -> str | None:
    """What the certificate calls its holder."""
    subject = certificate.subject.native
    for kind in _NAMES:
        value = subject.get(kind)
        if isinstance(value, list):
            value = value[0]
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())[:MAX_SIGNATURE_NAME]
    return None


def _utc(moment: datetime | None) -> datetime | None:
    """`None` too for a moment outside the years that can be told."""
    try:
        return None if moment is None else moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def prepare(pdf: bytes) -> None:
    """Signs a PDF with a key made for it and reads that: no module can be loaded later."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.KeyUsage(*(True,) * 2, *(False,) * 7), critical=True)
        .sign(key, hashes.SHA256())
    )
    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(
            certificate.public_bytes(serialization.Encoding.DER)
        ),
        signing_key=asn1_keys.PrivateKeyInfo.load(
            key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        ),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
    )
    metadata = signers.PdfSignatureMetadata(field_name="sample", md_algorithm="sha256")
    signed = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), metadata, signer=signer)
    if [each.state for each in read(signed.getvalue())] != [SignatureState.WHOLE]:
        raise RuntimeError("signatures of PDFs cannot be read on this machine")
