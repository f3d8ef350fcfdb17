"""`python -m tests.checks.unused`: no code is unused; use by tests or benches counts."""

import sys
from fnmatch import fnmatch
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).resolve().parents[2]
CODE = ("base", "storage", "audit", "auth", "vault", "web", "migrations")
USERS = ("tests", "bench")
DECORATED = ["@*router.*", "@app.*", "@model_validator*", "@field_validator*"]

# Used by name, which the analysis does not see. Each with its user.
ALLOWED = {
    "model_config": "pydantic reads it",
    "metadata": "SQLAlchemy reads it",
    "type_annotation_map": "SQLAlchemy reads it",
    "target_metadata": "alembic reads it",
    "revision": "alembic reads it",
    "down_revision": "alembic reads it",
    "branch_labels": "alembic reads it",
    "depends_on": "alembic reads it",
    "capture_signals": "uvicorn calls it",
    "should_exit": "uvicorn reads it",
    "timeout_graceful_shutdown": "uvicorn reads it",
    "background": "starlette reads it",
    "Resources": "a key of a PDF page",
    "Contents": "a key of a PDF page",
    "MAX_IMAGE_PIXELS": "Pillow reads it",
    "PDF_KEEPS_METADATA": "a note of papers held from before",
    "trace": "the protocol of context managers",
    "*Client": "a type, for the checker only",
    "*TypeDef": "a type, for the checker only",
    "*ConstraintType": "a type, for the checker only",
    "_Object": "a type, for the checker only",
    "Bucket": "a key of boto3's dictionaries",
    "Key": "a key of boto3's dictionaries",
    "load_file": "botocore calls it",
    "file_loader": "botocore reads it",
    "external_attr": "zipfile reads it",
    "seekable": "zipfile calls it",
    "readinto": "io calls it",
    "nonblocking": "psycopg reads it",
    "prepare_threshold": "psycopg reads it",
    "regex": "starlette reads it, of a path convertor",
    "to_string": "starlette calls it, of a path convertor",
    "families_of_types": "a template calls it",
    "due_label": "a template calls it",
    "date_to_write": "a template calls it",
    "date_name": "a template calls it",
    "name_beside": "a template reads it",
    "two_sides": "a template calls it",
    "trash": "a template reads it",
    "failure_message": "a template calls it",
    "validity": "a template reads it",
    "given_size": "a template reads it",
    "given_media_type": "a template reads it",
    "own_media_type": "a template reads it",
    "notes_of": "a template calls it",
    "original_carries": "a template calls it",
    "mib": "a template reads it",
    "waits_here": "a template reads it",
    "is_ready": "a template reads it",
    "on_chunk_header": "httptools calls it",
}
# Fields that libraries read one by one: columns, bodies and answers, the log's closed vocabulary,
# the catalogue's entries, the words of templates.
FIELDS_OF = (
    "*/records/*.py",
    "*/records.py",
    "vault/tables.py",
    "web/api/*.py",
    "audit/events.py",
    "vault/catalogue/*.py",
    "web/i18n/languages.py",
    "web/pages/labels.py",
)


def unused() -> list[str]:
    """The unused code: `file:line: what`."""
    reader = Vulture(ignore_decorators=DECORATED)
    reader.scavenge([str(ROOT / folder) for folder in (*CODE, *USERS)])
    found = []
    for item in reader.get_unused_code(min_confidence=60):
        path = Path(item.filename).resolve().relative_to(ROOT)
        if path.parts[0] in CODE and not _allowed(str(path), item.name, item.typ):
            found.append(f"{path}:{item.first_lineno}: {item.message}")
    return found


def _allowed(path: str, name: str, kind: str) -> bool:
    if any(fnmatch(name, pattern) for pattern in ALLOWED):
        return True
    return kind == "variable" and any(fnmatch(path, pattern) for pattern in FIELDS_OF)


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    found = unused()
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
