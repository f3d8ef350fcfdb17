"""Signed notes: the specification's published example, and everything that is not a note."""

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.notes import (
    COSIGNATURE,
    ED25519,
    MAX_BYTES,
    MAX_SIGNATURES,
    InvalidNote,
    LocalSigner,
    Note,
    Verifier,
    cosign,
    sign_note,
)

# C2SP signed-note, « Example ».
PUBLISHED_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLISHED = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"  # noqa: E501  (as published)
).encode()

TEXT = "log.example/one\n3\nAAAA\n"


def signer(name: str = "log.example/one", type_: int = ED25519) -> LocalSigner:
    return LocalSigner(name, Ed25519PrivateKey.generate(), type_)


def line(name: str, *parts: bytes) -> str:
    return f"— {name} {base64.b64encode(b''.join(parts)).decode()}"


def broken(raw: bytes, *trusted: Verifier) -> str:
    """The reason why a note is refused."""
    with pytest.raises(InvalidNote) as refused:
        Note.parse(raw).verified(trusted)
    return refused.value.reason


def test_the_published_note_holds_under_the_published_key() -> None:
    verifier = Verifier.parse(PUBLISHED_VKEY)
    assert verifier.vkey == PUBLISHED_VKEY
    assert verifier.key_id.hex() == "530d903a"

    note = Note.parse(PUBLISHED)

    assert note.text == "This is an example message.\n"
    assert note.encode() == PUBLISHED
    (held,) = note.verified([verifier])
    assert (held.verifier, held.at) == (verifier, None)
    assert broken(PUBLISHED.replace(b"example message", b"example massage"), verifier) == (
        "signature"
    )


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), max_size=40), max_size=6
    )
)
def test_what_is_signed_is_read_back(lines: list[str]) -> None:
    own = signer()
    text = "".join(f"{one}\n" for one in [*lines, "end"])
    raw = sign_note(text, own).encode()

    note = Note.parse(raw)

    assert note.text == text
    assert note.encode() == raw
    assert [one.verifier for one in note.verified([own.verifier])] == [own.verifier]


def test_the_last_empty_line_ends_the_text() -> None:
    own = signer()
    text = f"first\n\n— {own.verifier.name} AAAAAAAAAAA=\n\nlast\n"
    assert Note.parse(sign_note(text, own).encode()).text == text


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "return\r\n", "bell\x07\n"])
def test_a_text_that_others_would_not_read_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="whole lines"):
        sign_note(text, signer())


GOOD = "— name AAAAAAAAAAAA"
MALFORMED = {
    "nothing": b"",
    "no signature": b"text\n",
    "no empty line": f"text\n{GOOD}\n".encode(),
    "no last newline": f"text\n\n{GOOD}".encode(),
    "no signature line": b"text\n\n",
    "not UTF-8": b"te\xffxt\n\n" + GOOD.encode() + b"\n",
    "overlong UTF-8": b"te\xc0\x80xt\n\n" + GOOD.encode() + b"\n",
    "a surrogate": b"te\xed\xa0\x80xt\n\n" + GOOD.encode() + b"\n",
    "a tab": f"te\txt\n\n{GOOD}\n".encode(),
    "a zero": f"te\0xt\n\n{GOOD}\n".encode(),
    "carriage returns": f"text\r\n\r\n{GOOD}\r\n".encode(),
    "a hyphen for the dash": f"text\n\n{GOOD.replace('—', '-')}\n".encode(),
    "an en dash": f"text\n\n{GOOD.replace('—', '–')}\n".encode(),
    "two spaces": f"text\n\n{GOOD.replace(' name', '  name')}\n".encode(),
    "a space at the end": f"text\n\n{GOOD} \n".encode(),
    "no name": "text\n\n—  AAAAAAAAAAAA\n".encode(),
    "a plus in the name": "text\n\n— na+me AAAAAAAAAAAA\n".encode(),
    "a no-break space in the name": "text\n\n— na\u00a0me AAAAAAAAAAAA\n".encode(),
    "an ideographic space in the name": "text\n\n— na\u3000me AAAAAAAAAAAA\n".encode(),
    "a key id alone": "text\n\n— name AAAAAA==\n".encode(),
    "not base64": "text\n\n— name AAAA*AAAAAAA\n".encode(),
    "base64 for addresses": "text\n\n— name AAAA_AAAAAA-\n".encode(),
    "base64 not padded": "text\n\n— name AAAAAAAAAAA\n".encode(),
    "base64 with bits left over": "text\n\n— name AAAAAAAAAAB=\n".encode(),
    "a line that is none": f"text\n\n{GOOD}\nand more\n".encode(),
    "an empty line after": f"text\n\n{GOOD}\n\n".encode(),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_a_note_is_refused(name: str) -> None:
    with pytest.raises(InvalidNote) as refused:
        Note.parse(MALFORMED[name])
    assert refused.value.reason == "form"


def test_a_note_too_large_or_with_too_many_signatures_is_refused() -> None:
    assert broken(b"a" * MAX_BYTES + PUBLISHED) == "size"
    unknown = f"{GOOD}\n".encode()
    assert broken(PUBLISHED + unknown * MAX_SIGNATURES) == "size"
    Note.parse(PUBLISHED + unknown * (MAX_SIGNATURES - 1))


def test_sixteen_signatures_of_post_quantum_size_are_within_the_limits() -> None:
    own = signer()
    others = [line(f"other{n}.example", bytes(4 + 5000)) for n in range(16)]
    note = sign_note(TEXT, own).with_lines(others)
    assert len(Note.parse(note.encode()).verified([own.verifier])) == 1


def test_signatures_of_others_are_passed_over_even_when_they_share_half_of_a_name() -> None:
    own = signer()
    raw = sign_note(TEXT, own)
    same_name = line(own.verifier.name, b"\1\2\3\4", bytes(64))
    same_id = line("other.example", own.verifier.key_id, bytes(64))
    unheard_of = line("strange.example", b"\1\2\3\4\5")

    note = Note.parse(raw.with_lines([same_name, same_id, unheard_of]).encode())

    assert [one.verifier for one in note.verified([own.verifier])] == [own.verifier]
    assert broken(Note(TEXT, (same_name, same_id, unheard_of)).encode(), own.verifier) == "unsigned"
    assert broken(raw.encode()) == "unsigned"


def test_one_signature_of_a_known_key_that_does_not_hold_refuses_the_whole() -> None:
    own, known = signer(), signer("known.example")
    raw = sign_note(TEXT, own)
    forged = line("known.example", known.verifier.key_id, bytes(64))
    short = line("known.example", known.verifier.key_id, bytes(63))

    for bad in (forged, short):
        assert broken(raw.with_lines([bad]).encode(), own.verifier, known.verifier) == "signature"
        assert Note.parse(raw.with_lines([bad]).encode()).verified([own.verifier])
    # The same key, once with a good signature and once with a bad one.
    twice = raw.with_lines([line(own.verifier.name, own.verifier.key_id, bytes(64))])
    assert broken(twice.encode(), own.verifier) == "signature"


def test_a_line_is_not_repeated() -> None:
    note = sign_note(TEXT, signer())
    assert note.with_lines(note.lines) == note


def test_a_cosignature_says_its_time_and_holds_for_that_time_only() -> None:
    witness = signer("witness.example", COSIGNATURE)
    stamped = cosign(TEXT, witness, 1_679_315_147)

    (held,) = Note(TEXT, (stamped,)).verified([witness.verifier])
    assert held.at == 1_679_315_147

    raw = base64.b64decode(stamped.split(" ")[2])
    later = (1_679_315_148).to_bytes(8, "big")
    moved = line("witness.example", raw[:4], later, raw[12:])
    assert broken(Note(TEXT, (moved,)).encode(), witness.verifier) == "signature"


def test_a_cosignature_signs_what_the_specification_says() -> None:
    witness = signer("witness.example", COSIGNATURE)
    raw = base64.b64decode(cosign(TEXT, witness, 7).split(" ")[2])
    key = witness.verifier.public_key
    assert raw[:4] == sha256(b"witness.example\n\x04" + key).digest()[:4]
    assert raw[4:12] == bytes([0, 0, 0, 0, 0, 0, 0, 7])
    assert raw[12:] == witness.sign(f"cosignature/v1\ntime 7\n{TEXT}".encode())


def test_a_time_beyond_what_is_allowed_is_no_cosignature() -> None:
    witness = signer("witness.example", COSIGNATURE)
    Note(TEXT, (cosign(TEXT, witness, 2**63 - 1),)).verified([witness.verifier])
    beyond = cosign(TEXT, witness, 2**63)
    assert broken(Note(TEXT, (beyond,)).encode(), witness.verifier) == "signature"


def test_a_key_of_one_kind_does_not_sign_for_the_other() -> None:
    private = Ed25519PrivateKey.generate()
    log, witness = (LocalSigner("both.example", private, kind) for kind in (ED25519, COSIGNATURE))
    assert log.verifier.key_id != witness.verifier.key_id
    assert broken(sign_note(TEXT, log).encode(), witness.verifier) == "unsigned"
    # Its signature may not be relabelled either.
    relabelled = line("both.example", witness.verifier.key_id, bytes(8), log.sign(TEXT.encode()))
    assert broken(Note(TEXT, (relabelled,)).encode(), witness.verifier) == "signature"


NAME, ID, KEY = PUBLISHED_VKEY.split("+", 2)
KEYS = {
    "nothing": "",
    "a name alone": NAME,
    "no key": f"{NAME}+{ID}",
    "an empty key": f"{NAME}+{ID}+",
    "another name": f"example.com/bar+{ID}+{KEY}",
    "another id": f"{NAME}+530d903b+{KEY}",
    "an id in capitals": f"{NAME}+{ID.upper()}+{KEY}",
    "a short id": f"{NAME}+{ID[:6]}+{KEY}",
    "no name": f"+{ID}+{KEY}",
    "a space in the name": f"example.com /foo+{ID}+{KEY}",
    "not base64": f"{NAME}+{ID}+{KEY[:-1]}*",
    "not ASCII": f"{NAME}+{ID}+{KEY[:-1]}é",
    "a part too many": f"{PUBLISHED_VKEY}+{KEY}",
}


@pytest.mark.parametrize("name", KEYS)
def test_what_is_not_a_verifier_key_is_refused(name: str) -> None:
    with pytest.raises(InvalidNote) as refused:
        Verifier.parse(KEYS[name])
    assert refused.value.reason == "vkey"


@pytest.mark.parametrize(("type_", "length"), [(2, 32), (6, 32), (255, 32), (1, 31), (1, 33)])
def test_a_key_of_another_kind_or_length_is_refused(type_: int, length: int) -> None:
    material = bytes([type_]) + bytes(length)
    key_id = sha256(b"a.example\n" + material).hexdigest()[:8]
    with pytest.raises(InvalidNote):
        Verifier.parse(f"a.example+{key_id}+{base64.b64encode(material).decode()}")


def test_a_key_of_ours_is_read_back_from_a_line() -> None:
    own = signer()
    assert own.verifier.vkey.startswith("log.example/one+")
    assert Verifier.parse(f"{own.verifier.vkey}\n") == own.verifier
