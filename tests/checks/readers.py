"""`python -m tests.checks.readers`: use cases that only write to a person have no reader.

Writing to a person and reading a person are two types (`FieldWriter` and `FieldReader`, and the
same for envelopes). A module that reads is listed below with what it reads; any other module that
names a reader, or opens content, is refused, and so is a listed module that does not read. The
use cases that only write import none of them either.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("audit", "auth", "vault", "web")
READING = {
    "reader",
    "FieldReader",
    "EnvelopeReader",
    "open_content",
    "open_document",
    "open_entries",
    "open_for_scan",
}

READERS = {
    "audit/audit_log.py": "an event's private key, for those who may read the log",
    "audit/tlog/keys.py": "the log's own signing key",
    "auth/administration.py": "what is sealed of a structure, to change one word of it",
    "auth/message_delivery.py": "a message, to send it",
    "auth/oauth/signing_keys.py": "the keys that sign access tokens",
    "auth/one_time_codes.py": "the address of a sign-in under way",
    "auth/means.py": "how the codes of a person's cards end, for their own list",
    "auth/person_values.py": "a person's sealed fields, to change their own means",
    "auth/phone_means.py": "a person's sealed fields, for their own phone as a means",
    "auth/pin_sign_ins.py": "what was shown in a sign-in that waits for a PIN",
    "auth/pins.py": "what proves a PIN, to compare one that is typed",
    "auth/person_contact.py": "a phone, to tell its holder something",
    "auth/person_names.py": "a person's chosen name, when they show it to whom they meet",
    "auth/phone_forms.py": "a phone in a form of before, for its holder who signs in",
    "auth/profiles.py": "workers and clients, as the log names them",
    "auth/time_zones.py": "a person's sealed fields, to change their own time zone",
    "auth/session_devices.py": "the device of a session, for its own subject",
    "vault/access_log/entries.py": "the log, for the person and for those who acted",
    "vault/access_log/exported_log.py": "the log, for the copy that its person takes away",
    "vault/access_log/inclusion_proof.py": "an entry, for its person",
    "vault/access_log/report_views.py": "a report, for its person and for the operator",
    "vault/access_log/reports.py": "a report, to answer it, and the phone to tell",
    "vault/access_log/siem_export.py": "every event, for monitoring, under pseudonyms",
    "vault/access_log/statistics.py": "an organisation's events, to count them",
    "vault/consent/grant_upgrade.py": "a grant's terms, to take types that became sensitive out",
    "vault/consent/grant_upgrade_notices.py": "a phone, an e-mail, to say that a grant changed",
    "vault/consent/request_transfer.py": "requests that change hands",
    "vault/consent/answers.py": "what the person was asked, to answer it",
    "vault/consent/consent_evidence.py": "by what acts a grant was given and ended, for its sides",
    "vault/consent/evidence.py": "type and dates of documents, under a grant",
    "vault/consent/grant_use.py": "the purpose of a grant, for its own recipient",
    "vault/consent/grants.py": "a grant's terms, for its two sides",
    "vault/consent/mandate_signatures.py": "what a person signed, and its terms, for them",
    "auth/joined_means.py": "the labels of cards that get another vault",
    "vault/documents/content_tags.py": "content, to hash it under its person's key",
    "vault/documents/moves/moved_papers.py": "papers that get another vault, to seal them again",
    "vault/recovery/reached_phones.py": "that a phone answered, for the worker who asked",
    "vault/recovery/recovery_values.py": "who saw the person, for the two vaults and the agents",
    "auth/representations.py": "the name of a representative, who acts under it",
    "vault/representation/representation_views.py": "what two call each other, and a judgement",
    "vault/recovery/stop_lines.py": "a vault's log since a recovery began, to see a stop in it",
    "vault/trusted/trusted_views.py": "what two who trust each other are called, for the two",
    "vault/maintenance/joins/join_views.py": "a join's digits, for the vault that shows them",
    "vault/consent/meeting_codes.py": "who meets, and who lets whom in, for the two of them",
    "vault/consent/meeting_erasure.py": "which meetings are invitations, to leave their person out",
    "vault/consent/person_labels.py": "what a worker calls people, for that worker",
    "vault/consent/receipt_keys.py": "the keys that sign receipts",
    "vault/consent/request_views.py": "a request, for its two sides",
    "vault/consent/withdrawals.py": "a request as its sender reads it back, to withdraw it",
    "web/pages/sealed_values.py": "what a page carries to the next, for the session that sealed it",
    "web/pages/search_words.py": "what a session looked for, for that session",
    "vault/maintenance/bound_rows.py": "requests and envelopes of release 0.1, to bind them once",
    "vault/maintenance/version_sizes.py": "the sizes of versions of earlier releases, for quotas",
    "vault/reconciliation/replay.py": "every event, for the operator, to compare it with the rows",
    "vault/reconciliation/sealed_rows.py": "every sealed row, to see whether it opens",
    "vault/reconciliation/archive_pieces.py": "every envelope of a piece, to see whether it opens",
    "vault/reconciliation/upload_pieces.py": "every envelope of a piece, to see whether it opens",
    "vault/reconciliation/version_files.py": "every envelope, to see whether it opens",
    "vault/documents/uploads/deposit.py": "what the owner said of an upload, to make a document",
    "vault/documents/uploads/draft_rows.py": "what the owner said of a paper that they are adding",
    "vault/documents/uploads/finished_uploads.py": "a file's name, for the owner's own form",
    "vault/documents/uploads/pieces.py": "the owner's own pieces, to make a document of them",
    "vault/documents/uploads/uploads.py": "what the owner said of an upload, said back",
    "vault/exports/archives.py": "what is in an archive, to go on with it; its bytes, taken",
    "vault/exports/import_rows.py": "how far an import is, for its person and its job",
    "vault/exports/exports.py": "which sessions may take an export, for its person",
    "vault/exports/export_job.py": "a vault's papers, into the copy that its person asked for",
    "vault/exports/export_plan.py": "the rows of a vault's papers, for that copy",
    "vault/documents/antivirus.py": "originals, for the scanner",
    "vault/documents/document_reader.py": "a document's rows",
    "vault/documents/own_deposit.py": "the owner's document with the same bytes",
    "vault/documents/own_documents.py": "the owner's documents",
    "vault/documents/type_suggestions.py": "the row of a document, to propose its type",
    "vault/documents/granted_paper.py": "the row of one document, under one grant",
    "vault/documents/page_views.py": "how many pages a paper has, once it may be read",
    "vault/documents/person_papers.py": "rows of one person's documents, under several grants",
    "vault/documents/previews.py": "content, to draw its first page",
    "vault/documents/recipients_copy.py": "originals, to clean again what is about to be given",
    "vault/documents/recorded_lines.py": "a caller's newest lines, to go on under one of them",
    "vault/documents/retrieval.py": "content and rows, once the access is committed",
}

# A recipient's deposit (`granted_deposit`) is not among them: its event carries the grant's
# purpose, which `grant_use` opens for the recipient that the grant was given to.
WRITERS = {
    "auth/messages.py": "a message, when it is queued",
    "auth/notifications.py": "the words of a message",
    "vault/consent/requests.py": "asking for consent",
    "vault/delivery_status.py": "how downloads ended",
    "vault/documents/deposit.py": "a deposit, while it comes in",
    "vault/documents/deposit_commit.py": "a deposit, when it is stored",
    "vault/documents/intake.py": "the files of a deposit",
}
# A type of `audit_log` stands in the signature of everything that records.
SHARED = {"audit/audit_log.py"}


def imports_in(source: str) -> set[str]:
    """The project's modules that a source imports, as paths."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return {name.replace(".", "/") + ".py" for name in found}


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
    reached = [
        f"{path}: only writes, and imports {reader}"
        for path in WRITERS
        for reader in imports_in(sources.get(path, "")) & (set(READERS) - SHARED)
    ]
    return sorted(unlisted + idle + reached)


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    paths = [path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")]
    found = faults({path.relative_to(ROOT).as_posix(): path.read_text() for path in paths})
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
