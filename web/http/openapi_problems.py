"""Problems, as the description of the API shows them: one shape, and one answer for each status."""

from typing import Any

from web.http.problem_codes import CODES, MEDIA_TYPE, STATUS_OF, type_of
from web.http.quota_headers import DESCRIBED
from web.i18n.error_messages import error_messages
from web.i18n.translations import translations

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457, with what to do next.",
    "required": ["type", "title", "status", "detail", "what_to_do", "code", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "pattern": "^/problems/[a-z_]+$",
            "description": "An address of this service that explains the code, to a person or to a"
            " program.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What happened, for a person."},
        "what_to_do": {"type": "string", "description": "What to do next, for a person."},
        "code": {"$ref": "#/components/schemas/ProblemCode"},
        "request_id": {"type": "string", "description": "Quote it when you report a problem."},
        "errors": {
            "type": "array",
            "description": "Each field that is wrong, where it is known.",
            "items": {"$ref": "#/components/schemas/FieldError"},
        },
    },
}
FIELD_ERROR = {
    "type": "object",
    "description": "One of `pointer`, `parameter` and `header` says where.",
    "required": ["code", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "RFC 6901: of the JSON body or the form."},
        "parameter": {"type": "string", "description": "Of the query."},
        "header": {"type": "string"},
        "code": {"type": "string", "description": "What is wrong, for programs."},
        "detail": {"type": "string"},
    },
}
PROBLEM_CODE = {
    "type": "string",
    "description": "What went wrong, for programs. A code keeps its meaning and its status; new"
    " ones may come.",
    "enum": sorted(STATUS_OF),
}

_CHALLENGE = {
    "WWW-Authenticate": {
        "description": "RFC 6750 §3: with `error` once a token was sent; 403, for want of scope.",
        "schema": {"type": "string"},
    }
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: _CHALLENGE,
    403: _CHALLENGE,
    416: {
        "Content-Range": {
            "description": "`bytes */` and the length, where a content has one.",
            "schema": {"type": "string"},
        },
    },
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "How many seconds to wait: a step, not a countdown. Absent when time alone"
        " mends nothing.",
        "schema": {"type": "integer"},
    }
}
_LANGUAGE = {
    "Content-Language": {
        "description": "The language of the texts: `fr` or `en`, after `Accept-Language`.",
        "schema": {"type": "string"},
    }
}
_ANSWERS = {
    400: ("Malformed", "The body cannot be read.", "malformed_request"),
    401: ("Unauthenticated", "Nobody is known by what was sent.", "unauthenticated"),
    403: ("Refused", "The caller is known, and may not.", "grant_expired"),
    404: ("NotFound", "Unknown, or not yours: it is not said which.", "not_found"),
    409: ("Conflict", "Not in the state that things are in.", "request_answered"),
    412: (
        "PreconditionFailed",
        "It changed since `If-Match`, or in the meantime.",
        "changed_meanwhile",
    ),
    413: ("TooLarge", "More bytes than are taken.", "body_too_large"),
    415: ("UnsupportedType", "Not a type that is taken here.", "type_not_allowed"),
    416: ("RangeNotSatisfiable", "Not a range of this content.", "range_invalid"),
    422: ("Invalid", "Readable, and cannot be done as it stands.", "unknown_document_type"),
    460: ("ChecksumMismatch", "The bytes are not those that were sent.", "checksum_mismatch"),
    429: ("TooMany", "Too often; `Retry-After` says how long to wait.", "too_many_requests"),
    503: ("Unavailable", "A part of the service does not answer.", "unavailable"),
}


def problem_response(status: int) -> dict[str, str]:
    """The reference to the answer of a status, for an operation whose signature does not show
    it."""
    return {"$ref": f"#/components/responses/{_ANSWERS[status][0]}"}


def responses() -> dict[str, Any]:
    """The answers that operations refer to, by name."""
    return {name: _response(status) for status, (name, _, _) in _ANSWERS.items()}


def _response(status: int) -> dict[str, Any]:
    _, meaning, code = _ANSWERS[status]
    codes = ", ".join(f"`{each}`" for each in CODES[status])
    headers = _HEADERS.get(status, {}) | (_RETRY_AFTER if status in (429, 503) else {})
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": f"{meaning} Codes: {codes}.",
        "headers": headers | _LANGUAGE,
        "content": {MEDIA_TYPE: {"schema": schema, "example": _example(code, status)}},
    }


def _example(code: str, status: int) -> dict[str, Any]:
    message = error_messages()[code]
    english = translations("en").gettext
    return {
        "type": type_of(code),
        "title": english(message.title),
        "status": status,
        "detail": english(message.detail).format(limit=65536),
        "what_to_do": english(message.what_to_do),
        "code": code,
        "request_id": "5f3a09c1d2e84b7690ab12cd",
    }


def quota_response() -> dict[str, Any]:
    """The answer of an operation that says what is left to its caller, and that it is nothing."""
    return _response(429) | {"headers": _RETRY_AFTER | _LANGUAGE | DESCRIBED}


QUOTA: dict[int | str, dict[str, Any]] = {202: {"headers": DESCRIBED}, 429: {}}
"""The answers of an operation that says what is left to its caller; that of 429 is written when
the API is described: its example is in English, whose words no server needs to begin."""
