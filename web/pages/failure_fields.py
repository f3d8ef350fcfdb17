"""Which field of a form there is to correct, by what went wrong. Pure."""

from base.errors import ServiceError
from web.pages import desk_labels, means_labels

_FIELDS = {
    "phone_invalid": "phone",
    "phone_landline": "phone",
    "email_invalid": "email",
    "code_wrong": "code",
    "pin_wrong": "code",
    "card_typo": "card",
    "card_of_another": "card",
    "erasure_code_wrong": "code",
    "meeting_code_wrong": "code",
    "file_missing": "photo",
    "file_empty": "photo",
    "type_not_allowed": "photo",
    "does_not_decode": "photo",
    "password_protected": "photo",
    "too_large": "photo",
    "file_too_large": "photo",
    "too_many_files": "photo",
    "too_many_pictures": "photo",
    "too_many_parts": "photo",
    "too_many_pages": "photo",
    "too_many_pixels": "photo",
    "pdf_too_detailed": "photo",
    "unusual_image": "photo",
    "one_paper_unsaid": "together",
    "type_missing": "type",
    "unknown_document_type": "type",
    "document_type_retired": "type",
    "expires_before_issued": "expires_on",
    "date_unreadable": "issued_on",
    "year_unreadable": "income_year",
    "text_too_long": "title",
    "scope_empty": "what",
    "nothing_granted": "what",
    "mandate_choice": "what",
    "worker_not_here": "worker_here",
    **dict.fromkeys(
        (
            "mandate_scan_deposited",
            "mandate_scan_incomplete",
            "mandate_scan_other",
            "mandate_scan_unread",
        ),
        "photo",
    ),
    "action_unsaid": "action",
    "longer_unsaid": "longer",
    **dict.fromkeys(("duration_unsaid", "assisted_too_long"), "duration"),
    **dict.fromkeys(("day_unsaid", "day_late", "day_over"), "day"),
    "copy_unsaid": "may_store",
    "replace_unsaid": "replace",
    "reason_unsaid": "purpose_code",
    "recipient_unsaid": "email",
    "recipient_twice": "email",
    "unknown_recipient": "email",
    "too_many_papers": "what",
    "purpose_missing": "purpose",
    "unknown_purpose": "purpose_code",
    **means_labels.FIELDS,
    **desk_labels.FIELDS,
}

_SAID = (
    "anchor_name",
    "date_unreadable",
    "judgement_date",
    "text_empty",
    "text_too_long",
    "type_missing",
    "year_unreadable",
)
"""Failures of one field among several alike: which one it is, they say."""


def field_to_correct(failure: ServiceError) -> str:
    """The field to correct: the one that a date or a text is in, or the one of the code."""
    if failure.fields and failure.fields[0][:2] == ("evidence", "heard_by"):
        return "heard_role" if failure.fields[0][-1] == "role" else "heard_name"
    if failure.code in _SAID and failure.fields:
        path = failure.fields[0]
        return str(path[-1] if path[0] in ("document", "judgement") else path[0])
    if failure.code == "phone_invalid" and failure.fields[:1] == (("former_phone",),):
        return "former_phone"
    return _FIELDS.get(failure.code, "")
