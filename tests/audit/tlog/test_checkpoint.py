"""Checkpoints: their content, who signed them, how many witnesses cosigned them."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.tlog.checkpoint import (
    Checkpoint,
    InvalidCheckpoint,
    Policy,
    VerifiedCheckpoint,
    cosignatures_in,
    sign_checkpoint,
    verify_checkpoint,
)
from audit.tlog.merkle import EMPTY_ROOT
from audit.tlog.notes import COSIGNATURE, LocalSigner, Note, cosign, sign_note

# C2SP tlog-checkpoint's example.
PUBLISHED = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

ORIGIN = "log.example/one"
ROOT = base64.b64encode(bytes(range(32))).decode()
CHECKPOINT = Checkpoint(ORIGIN, 3, bytes(range(32)))
LOG = LocalSigner(ORIGIN, Ed25519PrivateKey.generate())
WITNESSES = [
    LocalSigner(f"w{number}.example", Ed25519PrivateKey.generate(), COSIGNATURE)
    for number in range(3)
]


def cosigned(*by: LocalSigner, at: int = 1_700_000_000) -> bytes:
    lines = [cosign(CHECKPOINT.text(), one, at) for one in by]
    return sign_checkpoint(CHECKPOINT, LOG).with_lines(lines).encode()


def refused(raw: bytes, policy: Policy | None = None) -> str:
    with pytest.raises(InvalidCheckpoint) as broken:
        verify_checkpoint(raw, LOG.verifier, policy)
    return broken.value.reason


def test_the_published_text_is_read_and_written() -> None:
    read = Checkpoint.of_text(PUBLISHED)
    assert (read.origin, read.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert read.text() == PUBLISHED


def test_what_the_log_signed_is_believed() -> None:
    assert verify_checkpoint(cosigned(), LOG.verifier) == VerifiedCheckpoint(CHECKPOINT, {})


def test_an_empty_log_has_the_empty_root() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert verify_checkpoint(sign_checkpoint(empty, LOG).encode(), LOG.verifier).checkpoint == empty


def test_extension_lines_are_passed_over_and_still_signed() -> None:
    raw = sign_note(f"{CHECKPOINT.text()}more\n", LOG).encode()
    assert verify_checkpoint(raw, LOG.verifier).checkpoint == CHECKPOINT
    assert refused(raw.replace(b"\nmore\n", b"\nless\n")) == "signature"


TEXTS = {
    "one line": (f"{ORIGIN}\n", "form"),
    "two lines": (f"{ORIGIN}\n3\n", "form"),
    "no origin": (f"\n3\n{ROOT}\n", "form"),
    "an empty extension": (f"{ORIGIN}\n3\n{ROOT}\n\n", "form"),
    "an empty line before an extension": (f"{ORIGIN}\n3\n{ROOT}\n\nmore\n", "form"),
    "a root too short": (f"{ORIGIN}\n3\n{ROOT[:-4]}\n", "form"),
    "a root too long": (f"{ORIGIN}\n3\n{base64.b64encode(bytes(33)).decode()}\n", "form"),
    "a root with bits left over": (f"{ORIGIN}\n3\n{ROOT[:-2]}9=\n", "form"),
    "a root for addresses": (f"{ORIGIN}\n3\n{'_' + ROOT[1:]}\n", "form"),
    "a root of other letters": (f"{ORIGIN}\n3\né{ROOT[1:]}\n", "form"),
    "a size in letters": (f"{ORIGIN}\nthree\n{ROOT}\n", "size"),
    "a size below zero": (f"{ORIGIN}\n-3\n{ROOT}\n", "size"),
    "a size with a sign": (f"{ORIGIN}\n+3\n{ROOT}\n", "size"),
    "a size with a zero before": (f"{ORIGIN}\n03\n{ROOT}\n", "size"),
    "a size with a space": (f"{ORIGIN}\n 3\n{ROOT}\n", "size"),
    "a size in other digits": (f"{ORIGIN}\n٣\n{ROOT}\n", "size"),
    "a size with a line": (f"{ORIGIN}\n1_0\n{ROOT}\n", "size"),
    "a size beyond any": (f"{ORIGIN}\n{1 << 62}\n{ROOT}\n", "size"),
    "a size of many digits": (f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n", "size"),
    "nothing under another root": (f"{ORIGIN}\n0\n{ROOT}\n", "size"),
    "another log": (f"log.example/two\n3\n{ROOT}\n", "origin"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_checkpoint_of_this_log_is_refused_though_well_signed(name: str) -> None:
    text, reason = TEXTS[name]
    assert refused(sign_note(text, LOG).encode()) == reason


def test_what_is_no_note_is_told_apart() -> None:
    assert refused(b"") == "form"
    assert refused(b"<html>not here</html>") == "form"
    assert refused(b"a" * 1_000_000) == "size"


def test_another_key_or_an_edited_checkpoint_is_refused() -> None:
    impostor = LocalSigner(ORIGIN, Ed25519PrivateKey.generate())
    assert refused(sign_checkpoint(CHECKPOINT, impostor).encode()) == "unsigned"
    assert refused(cosigned().replace(b"\n3\n", b"\n4\n")) == "signature"


@pytest.mark.parametrize("needed", range(4))
@pytest.mark.parametrize("by", range(4))
def test_n_of_the_witnesses(needed: int, by: int) -> None:
    policy = Policy(tuple(one.verifier for one in WITNESSES), needed)
    raw = cosigned(*WITNESSES[:by])
    if by < needed:
        assert refused(raw, policy) == "witnesses"
    else:
        assert set(verify_checkpoint(raw, LOG.verifier, policy).witnesses) == {
            one.verifier.name for one in WITNESSES[:by]
        }


def test_the_times_of_the_witnesses_are_told() -> None:
    policy = Policy((WITNESSES[0].verifier,), 1)
    assert verify_checkpoint(cosigned(WITNESSES[0], at=77), LOG.verifier, policy).witnesses == {
        "w0.example": 77
    }


def test_a_witness_counts_once_and_only_under_its_own_key() -> None:
    policy = Policy(tuple(one.verifier for one in WITNESSES[:2]), 2)
    twice = [cosign(CHECKPOINT.text(), WITNESSES[0], at) for at in (1, 2)]
    stranger = LocalSigner("w1.example", Ed25519PrivateKey.generate(), COSIGNATURE)
    lines = [*twice, cosign(CHECKPOINT.text(), stranger, 1)]
    raw = sign_checkpoint(CHECKPOINT, LOG).with_lines(lines).encode()
    assert refused(raw, policy) == "witnesses"


def test_a_witness_alone_does_not_speak_for_the_log() -> None:
    raw = Note(CHECKPOINT.text(), (cosign(CHECKPOINT.text(), WITNESSES[0], 1),)).encode()
    assert refused(raw, Policy((WITNESSES[0].verifier,), 1)) == "unsigned"


def test_a_forged_cosignature_of_a_trusted_witness_refuses_the_whole() -> None:
    policy = Policy(tuple(one.verifier for one in WITNESSES), 1)
    other = cosign(CHECKPOINT.text().replace("\n3\n", "\n4\n"), WITNESSES[1], 1)
    lines = [cosign(CHECKPOINT.text(), WITNESSES[0], 1), other]
    raw = sign_checkpoint(CHECKPOINT, LOG).with_lines(lines).encode()
    assert refused(raw, policy) == "signature"


def test_a_log_with_a_key_of_a_witness_is_not_its_own_witness() -> None:
    own = LocalSigner(ORIGIN, Ed25519PrivateKey.generate(), COSIGNATURE)
    raw = Note(CHECKPOINT.text(), (cosign(CHECKPOINT.text(), own, 1),)).encode()
    with pytest.raises(InvalidCheckpoint, match="witnesses"):
        verify_checkpoint(raw, own.verifier, Policy((WITNESSES[0].verifier,), 1))


def test_a_policy_that_cannot_mean_what_it_says_is_refused() -> None:
    one, two = (witness.verifier for witness in WITNESSES[:2])
    private = Ed25519PrivateKey.generate()
    both = tuple(LocalSigner(name, private, COSIGNATURE).verifier for name in ("a", "b"))
    renewed = LocalSigner(one.name, private, COSIGNATURE).verifier
    for witnesses, needed in [((one, two), 3), ((one,), -1), ((one, one), 2), (both, 2)]:
        with pytest.raises(ValueError, match="witness"):
            Policy(witnesses, needed)
    with pytest.raises(ValueError, match="twice"):
        Policy((one, renewed), 1)
    with pytest.raises(ValueError, match="cosignature"):
        Policy((LOG.verifier,), 1)


def test_of_an_answer_only_what_holds_is_kept() -> None:
    text = CHECKPOINT.text()
    good, stranger = cosign(text, WITNESSES[0], 5), cosign(text, WITNESSES[2], 5)
    forged = cosign(text.replace("\n3\n", "\n4\n"), WITNESSES[1], 5)
    trusted = [one.verifier for one in WITNESSES[:2]]

    assert cosignatures_in([stranger, forged, "nonsense", good], text, trusted) == [good]
    with pytest.raises(InvalidCheckpoint, match="signature"):
        cosignatures_in([stranger, forged], text, trusted)
