"""A second reader of sealed data, written from `docs/formats/` alone: none of our code is used."""

import hmac
import json
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

EMPTY = b""


def key(secret: bytes, subject: str, version: int, purpose: str) -> bytes:
    """`key(secret, purpose)` of sealed-file.md."""
    info = f"unefois/key/v1|{subject}|{version}|{purpose}".encode()
    return HKDF(SHA256(), 32, None, info).derive(secret)


def unwrap_local(keyring: dict[str, Any], root: str, wrapped: bytes, subject: str) -> bytes:
    """A wrapped secret, by the key (base64, decoded) of a root version of the local keyring."""
    context = {"purpose": "unefois/secret/v1", "subject": subject, "version": "1"}
    bound = json.dumps({"context": context, "root": root}, separators=(",", ":"), sort_keys=True)
    return AESGCM(keyring[root]).decrypt(wrapped[:12], wrapped[12:], bound.encode())


def open_row(secret: bytes, subject: str, table: str, row: UUID, sealed: bytes) -> Any:
    """The content of a sealed row."""
    assert sealed[0] == 1
    cipher = AESGCM(key(secret, subject, 1, f"fields/{table}"))
    aad = f"unefois/fields/v1|{table}|".encode() + row.bytes
    padded = cipher.decrypt(sealed[1:13], sealed[13:], aad)
    assert len(padded) % 64 == 0
    return json.loads(unpad(padded))


def row_mac(secret: bytes, table: str, version: int, values: list[Any]) -> bytes:
    """The MAC of a row, by the service's secret `row-macs`."""
    name = f"row/{table}/{version}"
    message = b"".join(map(_mac_field, values))
    return bytes([version]) + hmac.digest(key(secret, "row-macs", 1, name), message, sha256)


def _mac_field(value: Any) -> bytes:
    if value is None:
        return b"n"
    if isinstance(value, UUID):
        return b"u" + value.bytes
    if isinstance(value, datetime):
        return f"t{round(value.timestamp() * 1_000_000)};".encode()
    if isinstance(value, int):
        return f"i{int(value)};".encode()
    if isinstance(value, list):
        return f"l{len(value)}:".encode() + b"".join(map(_mac_field, value))
    if isinstance(value, dict):
        canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return b"j" + _mac_field(canonical)
    octets = value.encode() if isinstance(value, str) else value
    return f"b{len(octets)}:".encode() + octets


def tag(secret: bytes, use: str, *parts: bytes) -> bytes:
    """A keyed tag, by the service's secret `index/<use>`."""
    message = use.encode() + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key(secret, f"index/{use}", 1, "tag"), message, sha256)


def content_hash(secret: bytes, subject: str, *originals: bytes) -> bytes:
    """The hash by which equal contents are found."""
    message = b"".join(original + len(original).to_bytes(8, "big") for original in originals)
    return hmac.digest(key(secret, subject, 1, "hash/content"), message, sha256)


def open_envelope(secret: bytes, subject: str, row: dict[str, Any]) -> tuple[bytes, int]:
    """The file key and the plaintext's length, from a row of `sealed_file`."""
    envelope = row["envelope"]
    assert envelope[0] == 2
    cipher = AESGCM(key(secret, subject, 1, f"envelope/{row['role']}"))
    names = (row[name] for name in ("role", "id", "version_id", "position", "blob_key"))
    aad = ("unefois/envelope/v2|" + "|".join(map(str, names))).encode()
    plain = cipher.decrypt(envelope[1:13], envelope[13:], aad)
    return plain[:32], int.from_bytes(plain[32:], "big")


def open_file(dek: bytes, role: str, file: UUID, sealed: bytes, length: int) -> bytes:
    """The plaintext of a whole sealed file, short enough for one key."""
    aad = f"unefois/file/v1|{role}|{file}".encode()
    prefix, header_tag = sealed[:42], sealed[42:74]
    assert prefix[:10].hex() == "00000004000000000020"
    assert header_tag == _expand(dek, prefix + b"HEADER_TAG:" + aad, 32)
    message_key = _expand(dek, prefix + b"MESSAGE_KEY:" + aad, 48)
    cipher = AESGCM(_expand(message_key, prefix + b"DEK:" + bytes(8) + aad, 32))
    plain = b""
    segments = [sealed[at : at + 262_144] for at in range(74, len(sealed), 262_144)]
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        field = len(segment).to_bytes(4, "big") if last else b"\xff" * 4
        assert segment[:4] == field
        about = number.to_bytes(8, "big") + bytes([last])
        plain += cipher.decrypt(segment[4:16], segment[16:], about)
    assert len(plain) == length
    return plain


def open_event(
    sealed: bytes, commitment: bytes, key_id: UUID, event: UUID, private_key: bytes
) -> Any:
    """A sealed event, checked against its commitment: HPKE by RFC 9180, §4.1 and §5.1, by hand."""
    assert sealed[0] == 1
    enc, ciphertext = sealed[1:33], sealed[33:]
    own = X25519PrivateKey.from_private_bytes(private_key)
    shared = own.exchange(X25519PublicKey.from_public_bytes(enc))
    kem = b"KEM" + b"\x00\x20"
    context = enc + own.public_key().public_bytes_raw()
    secret = _labelled(_extract(EMPTY, kem, b"eae_prk", shared), kem, b"shared_secret", context, 32)

    suite = b"HPKE" + b"\x00\x20\x00\x01\x00\x02"
    info = b"unefois/event/v1|" + key_id.bytes + event.bytes
    schedule = b"\x00" + _extract(EMPTY, suite, b"psk_id_hash", EMPTY)
    schedule += _extract(EMPTY, suite, b"info_hash", info)
    prk = _extract(secret, suite, b"secret", EMPTY)
    cipher = AESGCM(_labelled(prk, suite, b"key", schedule, 32))
    nonce = _labelled(prk, suite, b"base_nonce", schedule, 12)
    padded = cipher.decrypt(nonce, ciphertext, None)

    assert len(padded) % 256 == 0
    plain = unpad(padded)
    k_event, canonical = plain[:32], plain[32:]
    assert hmac.digest(k_event, canonical, sha256) == commitment
    return json.loads(canonical)


def unpad(padded: bytes) -> bytes:
    """Without `80` and the zeros after it."""
    plain, mark, zeros = padded.rpartition(b"\x80")
    assert mark
    assert not zeros.strip(b"\x00")
    return plain


def _extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, sha256)


def _labelled(prk: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled_info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return HKDFExpand(SHA256(), length, labelled_info).derive(prk)


def _expand(prk: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(SHA384(), length, info).derive(prk)
