"""Deferring jobs, which run after the answer. A job is inserted in the transaction that causes it,
so it exists exactly when its cause is committed. Arguments are ids only (invariant 5)."""

import json
from uuid import UUID

from sqlalchemy import text

from base.statements import Bound, Statement

PREVIEW = "preview"
SCAN = "scan"
CONTENT_TAG = "content_tag"
EXPORT = "export"
IMPORT = "import"
QUEUE = "vault"


class Later(Exception):
    """A job that goes on later, in so many seconds, because something of its person is used up for
    now: as often as it takes."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"in {seconds} s")
        self.seconds = seconds


# As procrastinate defers a job (its `defer_jobs` query), so that it is one statement among others.
_DEFER = Statement(
    text(
        "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(CAST(:queue AS varchar), "
        "CAST(:task AS varchar), 0, NULL, NULL, CAST(:args AS jsonb), NULL)"
        "::procrastinate_job_to_defer_v1])"
    )
)


def preview_job(owner_id: UUID, version_id: UUID) -> Bound:
    """Defers drawing the first page of a version."""
    return _deferred(PREVIEW, owner_id, version_id)


_DEFER_ONCE = Statement(
    text(
        "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(CAST(:queue AS varchar), "
        "CAST(:task AS varchar), 0, NULL, CAST(:once AS text), CAST(:args AS jsonb), NULL)"
        "::procrastinate_job_to_defer_v1]) WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs "
        "WHERE queueing_lock = CAST(:once AS text) AND status = 'todo')"
    )
)


def thumbnail_job(owner_id: UUID, version_id: UUID) -> Bound:
    """Defers drawing what a version held from before lacks, unless that waits already. The caller
    holds the vault."""
    once = f"{PREVIEW}/{version_id}"
    arguments = _arguments(owner_id, version_id)
    return _DEFER_ONCE(queue=QUEUE, task=PREVIEW, once=once, args=arguments)


def scan_job(owner_id: UUID, version_id: UUID) -> Bound:
    """Defers the virus scan of a version."""
    return _deferred(SCAN, owner_id, version_id)


def content_tag_job(owner_id: UUID, version_id: UUID) -> Bound:
    """Defers hashing the content of a version that came from another vault."""
    return _deferred(CONTENT_TAG, owner_id, version_id)


def export_job(person_id: UUID, archive_id: UUID) -> Bound:
    """Defers making an export."""
    return _DEFER(queue=QUEUE, task=EXPORT, args=_of_archive(person_id, archive_id))


def import_job(person_id: UUID, archive_id: UUID) -> Bound:
    """Defers looking at an import, or letting its papers come in."""
    return _DEFER(queue=QUEUE, task=IMPORT, args=_of_archive(person_id, archive_id))


def _of_archive(person_id: UUID, archive_id: UUID) -> str:
    return json.dumps({"person_id": str(person_id), "archive_id": str(archive_id)})


def _deferred(task: str, owner_id: UUID, version_id: UUID) -> Bound:
    return _DEFER(queue=QUEUE, task=task, args=_arguments(owner_id, version_id))


def _arguments(owner_id: UUID, version_id: UUID) -> str:
    return json.dumps({"owner_id": str(owner_id), "version_id": str(version_id)})
