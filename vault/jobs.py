"""Deferring jobs, which run after the answer. A job is inserted in the transaction that causes it,
so it exists exactly when its cause is committed. Arguments are ids only (invariant 5)."""

import json
from uuid import UUID

from sqlalchemy import text

from base.statements import Bound, Statement

PREVIEW = "preview"
SCAN = "scan"
QUEUE = "vault"

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


def scan_job(owner_id: UUID, version_id: UUID) -> Bound:
    """Defers the virus scan of a version."""
    return _deferred(SCAN, owner_id, version_id)


def _deferred(task: str, owner_id: UUID, version_id: UUID) -> Bound:
    arguments = {"owner_id": str(owner_id), "version_id": str(version_id)}
    return _DEFER(queue=QUEUE, task=task, args=json.dumps(arguments))
