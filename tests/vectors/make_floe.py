"""Makes `tests/vectors/floe/*.json`: sealed files, valid and damaged, by a second, plain writer.

It shares no code with `storage/floe.py`, so that one mistake cannot hide in both. Its IVs are
derived from the vector's name, so that running it again changes nothing:

    python tests/vectors/make_floe.py
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = Path(__file__).parent / "floe"
KEY = bytes(range(32))
AAD = b"unefois/vector"


@dataclass(frozen=True)
class Sealed:
    """A sealed file in its parts, so that one of them can be damaged."""

    header: bytes
    segments: tuple[bytes, ...]

    def join(self) -> str:
        return (self.header + b"".join(self.segments)).hex()

    def with_segments(self, *segments: bytes) -> "Sealed":
        return replace(self, segments=segments)


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 §2.3 with SHA-384, one block: no length here is above 48."""
    return hmac.digest(key, info + b"\x01", "sha384")[:length]


def seal(
    seed: str,
    plaintext: bytes,
    segment_length: int,
    *,
    mask: int = 20,
    full_end: bool = False,
    key: bytes = KEY,
    aad: bytes = AAD,
) -> Sealed:
    """Seal with IVs derived from `seed`; `full_end` gives the other legal ending."""
    draw = hashlib.shake_256(seed.encode())
    parameters = bytes([0, 0]) + segment_length.to_bytes(4, "big") + (32).to_bytes(4, "big")
    payload = segment_length - 32
    parts = [plaintext[i : i + payload] for i in range(0, len(plaintext), payload)]
    if not parts or (len(parts[-1]) == payload and not full_end):
        parts.append(b"")
    ivs = draw.digest(32 + 12 * len(parts))
    prefix = parameters + ivs[:32]
    message_key = hkdf_expand(key, prefix + b"MESSAGE_KEY:" + aad, 48)
    segments = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        rotation = (number & ~((1 << mask) - 1)).to_bytes(8, "big")
        data_key = hkdf_expand(message_key, prefix + b"DEK:" + rotation + aad, 32)
        iv = ivs[32 + 12 * number :][:12]
        tied = number.to_bytes(8, "big") + bytes([last])
        field = (len(part) + 32).to_bytes(4, "big") if last else b"\xff" * 4
        segments.append(field + iv + AESGCM(data_key).encrypt(iv, part, tied))
    header = prefix + hkdf_expand(key, prefix + b"HEADER_TAG:" + aad, 32)
    return Sealed(header, tuple(segments))


def flip(data: bytes, at: int) -> bytes:
    """The same bytes with one bit flipped; a negative `at` counts from the end."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def valid_files() -> dict[str, dict[str, object]]:
    """Files that open, by name."""
    shapes = {
        "empty": (0, 40, 20, False),
        "one_byte": (1, 40, 20, False),
        "one_byte_under_a_segment": (7, 40, 20, False),
        "whole_segment_empty_end": (8, 40, 20, False),
        "whole_segment_full_end": (8, 40, 20, True),
        "one_byte_over_a_segment": (9, 40, 20, False),
        "whole_segments_empty_end": (32, 40, 20, False),
        "whole_segments_full_end": (32, 40, 20, True),
        "shortest_segment": (5, 33, 20, False),
        "segments_of_64": (200, 64, 20, False),
        "segments_of_4096": (9000, 4096, 20, False),
        "new_key_each_segment": (50, 40, 0, False),
        "new_key_each_fourth_segment": (83, 40, 2, True),
    }
    vectors: dict[str, dict[str, object]] = {}
    for name, (length, segment_length, mask, full_end) in shapes.items():
        plaintext = hashlib.shake_256(b"plaintext of " + name.encode()).digest(length)
        sealed = seal(name, plaintext, segment_length, mask=mask, full_end=full_end)
        vectors[name] = {
            "rotation_mask": mask,
            "sealed": sealed.join(),
            "plaintext": plaintext.hex(),
        }
    return vectors


Defect = tuple[Sealed, str]
"""A file that must not open, and the reason expected."""


def damaged_files() -> dict[str, dict[str, object]]:
    """Files that must not open, each named after its defect, with the reason expected.

    The reader is given only the file, and takes its length as the right one.
    """
    plaintext = b"three segments, twenty"[:20]
    whole = seal("spoilt", plaintext, 40)
    other = seal("another file", plaintext, 40)
    first, _, last = whole.segments
    defects = (
        _damaged_headers(whole, other, plaintext)
        | _damaged_segments(whole)
        | {
            "extended_by_another_file": (
                whole.with_segments(*whole.segments, *other.segments),
                "segment_field",
            ),
            "segment_of_another_file": (
                whole.with_segments(first, other.segments[1], last),
                "tag",
            ),
        }
    )
    return {
        name: {"rotation_mask": 20, "sealed": sealed.join(), "refused": reason}
        for name, (sealed, reason) in defects.items()
    } | {
        "other_rotation_mask": {
            "rotation_mask": 20,
            "sealed": seal("spoilt", plaintext, 40, mask=1).join(),
            "refused": "tag",
        }
    }


def _damaged_headers(whole: Sealed, other: Sealed, plaintext: bytes) -> dict[str, Defect]:
    """The header altered, cut, or that of another file; another key."""
    header = whole.header

    def headed(changed: bytes) -> Sealed:
        return replace(whole, header=changed)

    return {
        "header_other_aead": (headed(flip(header, 0)), "header"),
        "header_other_kdf": (headed(flip(header, 1)), "header"),
        "header_other_iv_length": (headed(flip(header, 9)), "header"),
        "header_segment_of_no_payload": (
            headed(header[:2] + (32).to_bytes(4, "big") + header[6:]),
            "header",
        ),
        "header_alone": (whole.with_segments(), "length"),
        "header_cut": (Sealed(header[:-1], ()), "header"),
        "header_segment_length_flipped": (headed(flip(header, 5)), "header_tag"),
        "header_iv_flipped": (headed(flip(header, 10)), "header_tag"),
        "header_tag_flipped": (headed(flip(header, -1)), "header_tag"),
        "header_of_another_file": (headed(other.header), "tag"),
        "wrong_key": (seal("spoilt", plaintext, 40, key=KEY[::-1]), "header_tag"),
        "wrong_aad": (seal("spoilt", plaintext, 40, aad=AAD + b"x"), "header_tag"),
    }


def _damaged_segments(whole: Sealed) -> dict[str, Defect]:
    """Segments altered, moved, dropped, repeated, cut."""
    first, second, last = whole.segments
    return {
        "field_flipped": (whole.with_segments(flip(first, 0), second, last), "segment_field"),
        "last_field_flipped": (whole.with_segments(first, second, flip(last, 3)), "segment_field"),
        "iv_flipped": (whole.with_segments(flip(first, 4), second, last), "tag"),
        "ciphertext_flipped": (whole.with_segments(first, flip(second, 16), last), "tag"),
        "tag_flipped": (whole.with_segments(first, second, flip(last, -1)), "tag"),
        "swapped": (whole.with_segments(second, first, last), "tag"),
        "repeated": (whole.with_segments(first, first, second, last), "tag"),
        "dropped_first": (whole.with_segments(second, last), "tag"),
        "dropped_middle": (whole.with_segments(first, last), "tag"),
        "dropped_last": (whole.with_segments(first, second), "segment_field"),
        "dropped_last_and_relabelled": (
            whole.with_segments(first, (40).to_bytes(4, "big") + second[4:]),
            "tag",
        ),
        "cut_inside_the_last": (whole.with_segments(first, second, last[:-1]), "segment_field"),
        "cut_inside_the_last_and_relabelled": (
            whole.with_segments(first, second, (35).to_bytes(4, "big") + last[4:-1]),
            "tag",
        ),
        "cut_inside_a_prefix": (whole.with_segments(first, second, last[:10]), "length"),
        "extended_by_a_byte": (whole.with_segments(first, second, last + b"\0"), "segment_field"),
        "extended_by_a_segment": (whole.with_segments(*whole.segments, first), "segment_field"),
    }


def vectors() -> dict[str, str]:
    """Every vector: file name to the text of the file."""
    common = {"key": KEY.hex(), "aad": AAD.decode()}
    return {
        f"{name}.json": json.dumps(common | vector, indent=1) + "\n"
        for name, vector in (valid_files() | damaged_files()).items()
    }


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for name, text in vectors().items():
        (HERE / name).write_text(text, encoding="ascii")
