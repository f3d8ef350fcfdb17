"""`python -m tests.checks.readers`: use cases that only write to a person have no reader.

Writing to a person and reading a person are two types (`FieldWriter` and `FieldReader`, and the
same for envelopes). A module that reads is listed below with what it reads; any other module that
names a reader, or opens content, is refused, and so is a listed module that does not read.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("audit", "auth", "vault", "web")
READING = {"reader", "FieldReader", "EnvelopeReader", "open_content", "open_document"}

READERS = {
    "audit/audit_log.py": "an event's private key, for those who may read the log",
    "audit/tlog/keys.py": "the log's own signing key",
    "auth/messages.py": "a message, to send it",
    "auth/oauth/signing_keys.py": "the keys that sign access tokens",
    "auth/one_time_codes.py": "the address of a sign-in under way",
    "auth/profiles.py": "workers and clients, as the log names them",
    "vault/access_log/retention.py": "a phone, to announce the end of a year of the log",
    "vault/consent/request_transfer.py": "requests that change hands",
    "vault/consent/answers.py": "what the person was asked, to answer it",
    "vault/consent/evidence.py": "type and dates of documents, under a grant",
    "vault/consent/grant_use.py": "the purpose of a grant, for its own recipient",
    "vault/consent/grants.py": "a grant's terms, for its two sides",
    "vault/consent/request_views.py": "a request, for its two sides",
    "vault/document_view.py": "a document's rows",
    "vault/documents/antivirus.py": "originals, for the scanner",
    "vault/documents/expiry_reminders.py": "a phone, to remind its holder",
    "vault/documents/own_deposit.py": "the owner's document with the same bytes",
    "vault/documents/own_documents.py": "the owner's documents",
    "vault/documents/previews.py": "content, to draw its first page",
    "vault/documents/retrieval.py": "content and rows, once the access is committed",
}


def names_in(source: str) -> set[str]:
    """Every name, attribute and imported name of a source."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found |= {one.name for one in node.names}
    return found


def faults(sources: dict[str, str]) -> list[str]:
    """The faults in sources, which are given by path."""
    readers = {path for path, source in sources.items() if names_in(source) & READING}
    unlisted = [f"{path}: reads, and is not among the readers" for path in readers - set(READERS)]
    idle = [f"{path}: listed as a reader, and reads nothing" for path in set(READERS) - readers]
    return sorted(unlisted + idle)


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    paths = [path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")]
    found = faults({path.relative_to(ROOT).as_posix(): path.read_text() for path in paths})
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
