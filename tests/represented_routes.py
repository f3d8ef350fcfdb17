"""What a representative may do in the vault of whom they represent, route by route: a new one is
decided on here. They add papers, read them and give access to them."""

from typing import Any

from tests import assisted_routes

FORBIDDEN: dict[str, tuple[str, Any]] = assisted_routes.FORBIDDEN | {
    # Only its person deletes what they put in.
    "DELETE /v1/documents/{document_id}": ("document.delete", None),
    "DELETE /v1/sessions": ("sign_in.end", None),
    "DELETE /v1/sessions/{session_id}": ("sign_in.end", None),
    # Whom a person trusts, and by what they enter, is theirs.
    "GET /v1/me/trusted": ("trusted.see", None),
    "GET /v1/trusted": ("trusted.see", None),
    "DELETE /v1/trusted/{naming_id}": ("trusted.end", None),
    "GET /v1/me/representative": ("representation.see", None),
    "GET /v1/representations": ("representation.see", None),
    "DELETE /v1/representations/{representation_id}": ("representation.end", None),
    "DELETE /v1/me/joins/asked": ("vault.join_end", None),
    "GET /v1/me/joins/{join_id}/access-log": ("log.read", None),
    "DELETE /v1/me/proof/wait": ("means.wait_end", None),
    "DELETE /v1/me/exports/{export_id}": ("vault.export_asked", None),
    "DELETE /v1/me/imports/{import_id}": ("vault.import", None),
}
"""Each with the action that its refusal is recorded as, and what is sent."""
LIMITED = {"PATCH /v1/documents/{document_id}"}
"""What is sensitive stays so."""
FREE = {
    "GET /v1/sessions",  # theirs alone
    "DELETE /v1/sessions/current",
    "POST /v1/documents",
    "GET /v1/documents",
    "GET /v1/documents/{document_id}",
    "GET /v1/documents/{document_id}/sheet.pdf",
    "GET /v1/documents/{document_id}/content",
    "GET /v1/documents/{document_id}/preview",
    "POST /v1/documents/{document_id}/restore",
    "POST /v1/documents/{document_id}/versions",
    "POST /v1/uploads",
    "GET /v1/uploads/{upload_id}",
    "PATCH /v1/uploads/{upload_id}",
    "DELETE /v1/uploads/{upload_id}",
    "POST /v1/documents/{document_id}/type-suggestions/{suggestion_id}/accept",
    "POST /v1/documents/{document_id}/type-suggestions/{suggestion_id}/refuse",
    "GET /v1/consent-requests",
    "GET /v1/consent-requests/{request_id}",
    "GET /v1/consent-requests/{request_id}/sheet.pdf",
    "POST /v1/consent-requests/{request_id}/approve",
    "POST /v1/consent-requests/{request_id}/refuse",
    "GET /v1/mandates/{mandate_id}",
    "GET /v1/mandates/{mandate_id}/signed",
    "POST /v1/mandates/{mandate_id}/sign",
    "POST /v1/mandates/{mandate_id}/go-on",
    "POST /v1/grants",
    "GET /v1/grants",
    "GET /v1/grants/{grant_id}",
    "GET /v1/grants/{grant_id}/receipt",
    "GET /v1/grants/{grant_id}/receipt.pdf",
    "POST /v1/grants/{grant_id}/revoke",
    "POST /v1/meetings",
    "POST /v1/meetings/answer",
    "GET /v1/meetings/{meeting_id}",
    "POST /v1/meetings/{meeting_id}/confirm",
    "GET /v1/access-log",  # without how the person enters, and whom they trust
    "GET /v1/access-log/{event_id}",
    "GET /v1/access-log/{event_id}/proof",
    "POST /v1/access-log/{event_id}/report",
    "GET /v1/me",
    "GET /v1/me/exports/{export_id}",
    "GET /v1/me/import",
    "GET /v1/me/imports/{import_id}",
    "GET /v1/me/recovery",
    "GET /v1/me/recovery/receipt",
    "GET /v1/me/recoveries",  # whoever acts for the person may see that somebody tries
    "PATCH /v1/me",
    "PUT /v1/me/name",  # of a vault that a desk opened, nobody else says it
    "PUT /v1/me/language",
    "POST /v1/me/erasure/cancel",  # nothing is erased then
    "GET /v1/me/means",
    "GET /v1/me/joins",
    "GET /v1/me/anchor",
    "GET /v1/me/protection",
    "GET /v1/assisted-sessions/invitations/{invitation_id}",
}
FORBIDDEN_PAGES = assisted_routes.PAGES["forbidden"] | {
    "POST /documents/{document_id}/delete",
    "POST /sessions/end-others",
    "POST /sessions/{session_id}/end",
    "POST /trusted/{naming_id}/end",
    "POST /represented/{representation_id}/end",
    "POST /me/joins/asked/end",
    "POST /me/proof/wait/cancel",
}
"""Those that change something, or give all of it, and are for the person alone."""
