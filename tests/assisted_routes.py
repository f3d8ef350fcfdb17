"""What a person may do in an assisted session, route by route: a new one is decided on here."""

from typing import Any

PROOF: dict[str, str] = {}
"""In the place of the right one: it is refused with it, too."""
_PROVED = {"proof": PROOF}
_PIN = {"pin": "482693", "again": "482693"}
_ANCHOR = {"family_name": "Diallo", "birth_date": "1988-00-00", "document_end": "4F7K"}

FORBIDDEN: dict[str, tuple[str, Any]] = {
    "DELETE /v1/me": ("vault.erase_asked", {"code": "123456"}),
    "POST /v1/me/erasure/code": ("vault.erase_code", None),
    "GET /v1/access-log.csv": ("vault.export", None),
    "POST /v1/me/export": ("vault.export_asked", _PROVED),
    "GET /v1/me/exports/{export_id}/content": ("vault.export", None),
    "GET /v1/access-log.pdf": ("vault.export", None),
    # Papers that the worker brings would be the person's own word.
    "POST /v1/me/import": ("vault.import", None),
    "PATCH /v1/me/imports/{import_id}": ("vault.import", None),
    "POST /v1/me/imports/{import_id}/yes": ("vault.import", _PROVED),
    "DELETE /v1/me/means/{means_id}": ("means.remove", _PROVED),
    "POST /v1/me/means/{means_id}/stop": ("means.stop", None),
    "POST /v1/me/means/{means_id}/free": ("means.free", _PROVED),
    "PUT /v1/me/pin": ("pin.set", _PIN | _PROVED),
    # A worker who leads a hand would keep a way back into the vault.
    "PUT /v1/me/anchor": ("anchor.enrol", {"anchor": _ANCHOR} | _PROVED),
    "DELETE /v1/me/anchor": ("anchor.remove", _PROVED),
    "POST /v1/me/cards": ("means.add", _PIN | _PROVED),
    "POST /v1/me/phones": ("means.add", {"phone": "+33612345678"}),
    "POST /v1/me/phones/{sign_in_id}": (
        "means.add",
        {**_PIN, **_PROVED, "secret": "x", "code": "123456"},
    ),
    "POST /v1/me/proof/code": ("sign_in.code", None),
    "POST /v1/me/proof/wait": ("means.wait", None),
    "POST /v1/me/joins": ("vault.join_code", _PROVED),
    "POST /v1/me/joins/answer": ("vault.join_see", {"code": "12345678"}),
    "GET /v1/me/joins/{join_id}": ("vault.join_see", None),
    "POST /v1/me/joins/{join_id}/yes": ("vault.join_see", _PIN | _PROVED),
    "POST /v1/me/recovery/open": ("recovery.open", _PIN | _PROVED),
    "POST /v1/me/recoveries/{recovery_id}/confirm": ("recovery.confirm", _PROVED),
    # A worker who leads a hand would name their own way back.
    "POST /v1/me/trusted": ("trusted.name", {"label": "x", "own_name": "y"} | _PROVED),
    "DELETE /v1/me/trusted/{naming_id}": ("trusted.end", _PROVED),
    "POST /v1/trusted/answer": ("trusted.see", {"code": "12345678"}),
    "POST /v1/trusted/{naming_id}/accept": ("trusted.accept", None),
    "POST /v1/trusted/{naming_id}/vouch": ("trusted.vouch", _PROVED),
    # A worker who leads a hand would name who acts in their place.
    "POST /v1/me/representative": (
        "representation.name",
        {"label": "x", "own_name": "y"} | _PROVED,
    ),
    "DELETE /v1/me/representative/{representation_id}": ("representation.end", _PROVED),
    "POST /v1/representations": ("representation.show", {"own_name": "y"} | _PROVED),
    "POST /v1/representations/answer": ("representation.see", {"code": "12345678"}),
    "POST /v1/representations/{representation_id}/desk": ("representation.show", _PROVED),
    "POST /v1/representations/{representation_id}/enter": ("representation.enter", _PROVED),
    # What stands on receipts is the person's own word.
    "PUT /v1/me/protection": (
        "protection.note",
        {"protection": {"kind": "curatorship", "name": "x"}} | _PROVED,
    ),
    "DELETE /v1/me/protection": ("protection.end", _PROVED),
    "POST /v1/assisted-sessions/invitations/answer": ("meeting.answer", {"code": "123456"}),
    "POST /v1/assisted-sessions/invitations/{invitation_id}/confirm": (
        "meeting.agree",
        _PROVED | {"agree": True},
    ),
}
"""Each with the action that its refusal is recorded as, and what is sent."""
LIMITED = {
    "POST /v1/grants",
    "POST /v1/consent-requests/{request_id}/approve",
    "PATCH /v1/documents/{document_id}",
    "POST /v1/mandates/{mandate_id}/sign",
    "POST /v1/mandates/{mandate_id}/go-on",  # three months at a time, whoever is beside
}
"""Three months at most and no sensitive paper, to that worker; what is sensitive stays so."""
FREE = {
    "GET /v1/me/recovery",  # what its agents were told, and no more
    "GET /v1/me/recovery/receipt",
    "DELETE /v1/me/recovery",  # nothing is opened then
    "POST /v1/me/recoveries/{recovery_id}/stop",  # the same
    "POST /v1/trusted/{naming_id}/stop",  # the same
    "GET /v1/me/recoveries",  # whoever is beside sees that somebody asks for it, and may stop it
    "GET /v1/sessions",
    "DELETE /v1/sessions",
    "DELETE /v1/sessions/current",
    "DELETE /v1/sessions/{session_id}",
    "POST /v1/documents",
    "GET /v1/documents",
    "GET /v1/documents/{document_id}",
    "GET /v1/documents/{document_id}/sheet.pdf",
    "GET /v1/documents/{document_id}/content",
    "GET /v1/documents/{document_id}/preview",
    "DELETE /v1/documents/{document_id}",  # thirty days in the trash, where it comes back from
    "POST /v1/documents/{document_id}/restore",
    "POST /v1/documents/{document_id}/versions",  # its type stays
    "POST /v1/uploads",
    "GET /v1/uploads/{upload_id}",
    "PATCH /v1/uploads/{upload_id}",
    "DELETE /v1/uploads/{upload_id}",
    "GET /v1/consent-requests",
    "GET /v1/consent-requests/{request_id}",
    "GET /v1/consent-requests/{request_id}/sheet.pdf",
    "POST /v1/consent-requests/{request_id}/refuse",
    "GET /v1/mandates/{mandate_id}",
    "GET /v1/mandates/{mandate_id}/signed",
    "GET /v1/grants",
    "GET /v1/grants/{grant_id}",
    "GET /v1/grants/{grant_id}/receipt",
    "GET /v1/grants/{grant_id}/receipt.pdf",
    "POST /v1/grants/{grant_id}/revoke",
    "POST /v1/meetings",
    "POST /v1/meetings/answer",
    "GET /v1/meetings/{meeting_id}",
    "POST /v1/meetings/{meeting_id}/confirm",
    # What is accepted becomes sensitive.
    "POST /v1/documents/{document_id}/type-suggestions/{suggestion_id}/accept",
    "POST /v1/documents/{document_id}/type-suggestions/{suggestion_id}/refuse",
    "GET /v1/access-log",
    "GET /v1/access-log/{event_id}",
    "POST /v1/access-log/{event_id}/report",
    "GET /v1/access-log/{event_id}/proof",
    "GET /v1/me",
    "GET /v1/me/exports/{export_id}",
    "DELETE /v1/me/exports/{export_id}",  # nothing leaves then
    "GET /v1/me/import",
    "GET /v1/me/imports/{import_id}",
    "DELETE /v1/me/imports/{import_id}",  # nothing comes in then
    "PATCH /v1/me",  # where times are told
    "PUT /v1/me/name",
    "PUT /v1/me/language",
    "POST /v1/me/erasure/cancel",
    "GET /v1/me/means",
    "GET /v1/me/joins",
    "GET /v1/me/joins/{join_id}/access-log",
    "GET /v1/me/anchor",
    "GET /v1/me/protection",
    "GET /v1/me/representative",
    "GET /v1/representations",
    "DELETE /v1/representations/{representation_id}",  # one is in nobody's place then
    "GET /v1/me/trusted",
    "GET /v1/trusted",
    "DELETE /v1/trusted/{naming_id}",  # one is less trusted then
    "DELETE /v1/me/joins/asked",  # nothing is joined then
    "DELETE /v1/me/proof/wait",  # nothing is changed then
    "GET /v1/assisted-sessions/invitations/{invitation_id}",
}
PAGES = {
    "forbidden": {
        "POST /erasure/code",
        "POST /erasure",
        "POST /me/means/{means_id}/remove",
        "POST /me/means/{means_id}/stop",
        "POST /me/means/{means_id}/free",
        "POST /me/pin",
        "POST /me/anchor",
        "POST /me/anchor/remove",
        "POST /me/cards",
        "POST /me/phone",
        "POST /me/phone/{sign_in_id}",
        "POST /me/proof/code",
        "POST /me/proof/wait",
        "POST /me/export",
        "GET /me/export/{export_id}/content",
        "POST /me/joins",
        "POST /me/joins/code",
        "POST /me/joins/{join_id}",
        "POST /recovery",
        "POST /recoveries/{recovery_id}/confirm",
        "POST /me/import",
        "POST /me/import/parts",
        "PATCH /me/import/parts/{import_id}",
        "POST /me/import/{import_id}/yes",
        "POST /me/trusted/new",
        "POST /me/trusted/{naming_id}/remove",
        "POST /me/representative/new",
        "POST /me/representative/{representation_id}/remove",
        "POST /represented/code",
        "POST /represented/new",
        "POST /represented/{representation_id}/desk",
        "POST /represented/{representation_id}/enter",
        "POST /me/protection",
        "POST /me/protection/remove",
        "POST /trusted/code",
        "POST /trusted/{naming_id}/accept",
        "POST /trusted/{naming_id}/vouch",
        "POST /invitations/{invitation_id}",
        "GET /access-log.pdf",
    },
    "limited": {
        "POST /requests/{request_id}/approve",
        "POST /grants/new/check",
        "POST /grants/new",
        "POST /documents/{document_id}/correct",
        "POST /mandates/{mandate_id}/sign",
        "POST /mandates/{mandate_id}/go-on",
    },
    "free": {
        "POST /me/export/end",
        "POST /me/joins/asked/end",
        "POST /recovery/end",
        "POST /recoveries/{recovery_id}/stop",
        "POST /trusted/{naming_id}/stop",  # nothing is opened then
        "POST /me/import/{import_id}/end",
        "POST /time-zone",
        "POST /sessions/end-others",
        "POST /sessions/{session_id}/end",
        "POST /erasure/cancel",
        "POST /documents/add",
        "POST /documents/add/{draft_id}/pictures",
        "POST /documents/add/{draft_id}/type",
        "POST /documents/add/{draft_id}/details",
        "POST /documents/add/{draft_id}/check",
        "POST /documents/add/{draft_id}/discard",
        "POST /documents/add/{draft_id}/pictures/{picture_id}",
        "POST /documents/add/{draft_id}/pictures/{picture_id}/change",
        "POST /uploads",
        "PATCH /uploads/{upload_id}",
        "POST /documents/{document_id}/version",
        "POST /documents/search",
        "POST /documents/{document_id}/original",
        "POST /documents/{document_id}/delete",
        "POST /documents/{document_id}/restore",
        "POST /documents/{document_id}/type-suggestions/{suggestion_id}",
        "POST /meetings",
        "POST /meetings/code",
        "POST /meetings/{meeting_id}",
        "POST /requests/{request_id}/refuse",
        "POST /requests/{request_id}/not-me",
        "POST /grants/stop-all",
        "POST /grants/{grant_id}/stop",
        "POST /access-log/{event_id}/report",
        "POST /me/discreet",
        "POST /me/name",
        "POST /me/language",
        "POST /me/proof/wait/cancel",
        "POST /trusted/{naming_id}/end",
        "POST /represented/{representation_id}/end",
        "POST /represented/leave",
    },
}
"""Those that change something, or give all of it; every other page only shows."""
