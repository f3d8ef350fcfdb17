"""The names that derive keys keep their bytes, and stand in `base/key_names.py` alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

from base import key_names

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("base", "storage", "audit", "auth", "vault", "web")
# Functions that are called with the name of a table, a use or a role.
DERIVING = {
    "seal", "open", "open_", "tag", "hasher", "keyed_tag", "service", "derive", "content_writer",
}  # fmt: skip

VALUES = {
    "PERSON": "person",
    "WORKER": "worker",
    "CLIENT": "client",
    "ORGANISATION": "organisation",
    "SIGN_IN": "sign_in",
    "CARD": "card",
    "PIN": "pin",
    "PIN_STEP": "pin_step",
    "CARD_MARK": "card-mark",
    "CARD_CODE": "card-code",
    "CARD_SECRET": "card-secret",
    "ANCHOR": "anchor",
    "DESK_FORM": "desk-form",
    "PIN_PEPPER": "pin-pepper",
    "PIN_DECOY": "pin-decoy",
    "PHONE_MEANS": "phone-means",
    "PHONE_GUESSES": "phone-guesses",
    "MEANS_COUNTS": "means-counts",
    "SESSION": "session",
    "MESSAGE": "message",
    "SIGNING_KEY": "signing_key",
    "RECEIPT_KEY": "receipt_key",
    "AUDIT_KEY": "audit_key",
    "LOG_KEY": "log_key",
    "DOCUMENT": "document",
    "DOCUMENT_VERSION": "document_version",
    "CONSENT_REQUEST": "consent_request",
    "GRANT": "grant",
    "CONSENT_EVIDENCE": "consent_evidence",
    "MANDATE": "mandate",
    "REPORT": "report",
    "UPLOAD": "upload",
    "ARCHIVE": "archive",
    "PHONE": "phone",
    "EMAIL": "email",
    "SIGN_IN_CODE": "sign-in-code",
    "NETWORK": "network",
    "DOCUMENT_TYPE": "document-type",
    "LOG_PERSON": "log-person",
    "LOG_ACTOR": "log-actor",
    "IDEMPOTENCY_KEY": "idempotency-key",
    "IDEMPOTENCY_BODY": "idempotency-body",
    "PACE": "pace",
    "RATE": "rate",
    "PAGE_FORM": "page-form",
    "PROXY_CHECK": "proxy-check",
    "MONITORING": "monitoring",
    "PSEUDONYM": "pseudonym",
    "SESSION_NETWORK": "session-network",
    "ERASURE_CODE": "erasure-code",
    "CONTENT": "content",
    "ORIGINAL": "original",
    "RENDITION": "rendition",
    "PREVIEW": "preview",
    "THUMBNAIL": "thumbnail",
    "FIELDS": "fields",
    "ROW_MACS": "row-macs",
    "SENT_REQUEST": "sent_request",
    "PERSON_LABEL": "person_label",
    "RECEIPT_CODE": "receipt-code",
    "MANDATE_PAGE": "mandate-page",
    "PERSON_NAME": "person-name",
    "WORKER_PERSON": "worker-person",
    "SEARCH": "search",
    "DESK_VISIT": "desk_visit",
    "RECOVERY_VISIT": "recovery_visit",
    "FAILURE_NOTE": "failure_note",
    "SHOWN_CARD": "shown_card",
    "MEETING": "meeting",
    "MEETING_CODE": "meeting-code",
    "MET": "met",
    "JOIN": "vault_join",
    "JOIN_CODE": "join-code",
    "RECOVERY": "recovery",
    "REACHED_PHONE": "reached_phone",
    "RECOVERY_CODE": "recovery-code",
    "RECOVERY_STOP": "recovery-stop",
    "TRUSTED": "trusted_person",
    "TRUSTED_CODE": "trusted-code",
    "REPRESENTATION": "representation",
    "REPRESENTATION_CODE": "representation-code",
}


def test_they_keep_their_bytes() -> None:
    found = {name: value for name, value in vars(key_names).items() if name.isupper()}
    assert found == VALUES


def written_out(source: str) -> Iterator[tuple[int, str]]:
    """Calls that derive a key by a name written in the call, or in a constant of their file."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _called(call.func) in DERIVING:
            for one in call.args:
                value = one.value if isinstance(one, ast.Constant) else None
                value = constants.get(one.id) if isinstance(one, ast.Name) else value
                if value in VALUES.values():
                    yield call.lineno, str(value)


def _called(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def test_they_stand_in_one_file() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{line}: {value}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, value in written_out(path.read_text())
    ] == []


def test_one_written_out_is_found() -> None:
    source = '_TABLE = "grant"\nsealer.seal(_TABLE, row, {})\nfields.tag("phone", number)\n'
    assert list(written_out(source)) == [(2, "grant"), (3, "phone")]
    assert list(written_out("sealer.seal(key_names.GRANT, row, {})")) == []
