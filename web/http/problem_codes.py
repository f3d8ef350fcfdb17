"""Every code that the JSON API may answer in a problem, by its status.

The description of the API enumerates them, and each has a page (`web/pages/problems.py`).
`tests/web/http/test_problem_codes.py` compares this table with what the source raises. A code is
never renamed, and never given another status.
"""

MEDIA_TYPE = "application/problem+json"

CODES: dict[int, tuple[str, ...]] = {
    400: ("malformed_form", "malformed_request", "request_refused"),
    401: ("client_assertion_invalid", "code_wrong", "token_invalid", "unauthenticated"),
    403: (
        "action_not_granted",
        "document_infected",
        "erasure_code_over",
        "erasure_code_wrong",
        "grant_expired",
        "grant_not_yet",
        "grant_revoked",
        "outside_scope",
        "scope_refused",
        "token_scope_missing",
        "wrong_caller",
    ),
    404: ("no_preview", "not_found"),
    405: ("method_not_allowed",),
    409: (
        "blob_exists",
        "grant_full",
        "report_answered",
        "request_answered",
        "request_lapsed",
        "too_many_documents",
        "too_many_versions",
        "vault_cannot_take_more",
        "vault_full",
    ),
    412: ("changed_meanwhile",),
    413: ("body_too_large", "field_too_large", "file_too_large", "too_large"),
    415: ("form_expected", "type_not_allowed", "wrong_media_type"),
    416: ("range_invalid",),
    422: (
        "client_key_not_allowed",
        "cursor_invalid",
        "does_not_decode",
        "duration_invalid",
        "duration_too_long",
        "email_invalid",
        "expires_before_issued",
        "file_empty",
        "file_missing",
        "idempotency_key_invalid",
        "idempotency_key_reused",
        "invalid_field",
        "invalid_request",
        "month_invalid",
        "month_not_over",
        "nothing_granted",
        "one_address",
        "password_protected",
        "pdf_too_detailed",
        "phone_invalid",
        "repeated_field",
        "scope_empty",
        "scope_unknown",
        "scope_widened",
        "sensitive_by_type",
        "store_not_asked",
        "text_empty",
        "text_invalid",
        "text_too_long",
        "too_dear",
        "too_many_fields",
        "too_many_files",
        "too_many_pages",
        "too_many_parts",
        "too_many_pixels",
        "type_missing",
        "unknown_document",
        "unknown_document_type",
        "unknown_field",
        "unknown_legal_basis",
        "unknown_purpose",
        "unknown_recipient",
        "unusual_image",
    ),
    429: (
        "decoding_time_spent",
        "too_many_erasure_codes",
        "too_many_failures",
        "too_many_requests",
        "too_many_sign_ins",
    ),
    500: ("internal_error",),
    503: (
        "content_broken",
        "content_missing",
        "database_busy",
        "database_unavailable",
        "decoder_busy",
        "decoder_unavailable",
        "grant_outdated",
        "keys_unavailable",
        "log_broken",
        "log_unpublished",
        "row_altered",
        "service_key_missing",
        "store_unavailable",
        "unavailable",
    ),
}
STATUS_OF = {code: status for status, codes in CODES.items() for code in codes}


def type_of(code: str) -> str:
    """The `type` of a problem (RFC 9457 §3.1.1): an address of this installation that explains
    it."""
    return f"/problems/{code}"
