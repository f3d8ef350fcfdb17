"""Sealing an event to a public key, and opening it: HPKE (RFC 9180), base mode. Pure.

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. The sealed bytes are `0x01 ‖ enc ‖
ciphertext`; the plaintext is `k_event (32) ‖ padded canonical event`; `info` names the key and the
event, so that a sealed event moved to another row does not open. See docs/formats/event.md.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from audit.events import canonical, commitment
from storage.field_encryption import pad, unpad

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_FORMAT = b"\x01"
_K_EVENT = 32
_PADDING_STEP = 256


class InvalidEvent(Exception):
    """A sealed event does not open, or does not match its commitment."""


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """What the row stores: the sealed bytes and the commitment to the canonical event."""

    sealed: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class OpenedEvent:
    """An event in clear, with the key that proves its commitment."""

    values: dict[str, Any]
    k_event: bytes = field(repr=False)


def seal(
    values: dict[str, Any], *, key_id: UUID, event_id: UUID, public_key: X25519PublicKey
) -> SealedEvent:
    """Seal the canonical event together with a fresh `k_event`, and compute its commitment."""
    encoded = canonical(values)
    k_event = secrets.token_bytes(_K_EVENT)
    plain = pad(k_event + encoded, _PADDING_STEP)
    sealed = _SUITE.encrypt(plain, public_key, _info(key_id, event_id))
    return SealedEvent(_FORMAT + sealed, commitment(k_event, encoded))


def open_(
    sealed: bytes,
    expected_commitment: bytes,
    *,
    key_id: UUID,
    event_id: UUID,
    private_key: X25519PrivateKey,
) -> OpenedEvent:
    """Open an event and check it against its commitment. Raises `InvalidEvent`."""
    if sealed[:1] != _FORMAT:
        raise InvalidEvent("unknown format")
    try:
        plain = unpad(_SUITE.decrypt(sealed[1:], private_key, _info(key_id, event_id)))
    except (InvalidTag, ValueError):
        raise InvalidEvent("does not open") from None
    k_event, encoded = plain[:_K_EVENT], plain[_K_EVENT:]
    if not hmac.compare_digest(commitment(k_event, encoded), expected_commitment):
        raise InvalidEvent("is not the event committed to")
    return OpenedEvent(json.loads(encoded), k_event)


def _info(key_id: UUID, event_id: UUID) -> bytes:
    return b"unefois/event/v1|" + key_id.bytes + event_id.bytes
