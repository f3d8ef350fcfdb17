"""What derives keys and binds sealed bytes, with ids, roots and values as placeholders.

`test_key_derivations` records the same during a whole story.
"""

from tests.row_formats import ROW_COLUMNS

# Tables of which the story writes no row.
UNTOLD = {
    "anchor",
    "archive",
    "card",
    "pin",
    "pin_step",
    "log_warning",
    "closing",
    "closing_step",
    "erased_vault",
    "erasure_code",
    "pending_erasure",
    "report",
    "wrong_codes",
    "mandate",
    "vault_join",
    "recovery",
    "trusted_person",
    "representation",
}

# Subjects of secrets: a person (`<id>`), or a use of the service.
HKDF_INFOS = [
    "unefois/key/v1|<id>|1|envelope/original",
    "unefois/key/v1|<id>|1|envelope/preview",
    "unefois/key/v1|<id>|1|envelope/rendition",
    "unefois/key/v1|<id>|1|envelope/thumbnail",
    "unefois/key/v1|<id>|1|envelope/upload",
    "unefois/key/v1|<id>|1|fields/audit_key",
    "unefois/key/v1|<id>|1|fields/consent_evidence",
    "unefois/key/v1|<id>|1|fields/consent_request",
    "unefois/key/v1|<id>|1|fields/document",
    "unefois/key/v1|<id>|1|fields/document_version",
    "unefois/key/v1|<id>|1|fields/grant",
    "unefois/key/v1|<id>|1|fields/person",
    "unefois/key/v1|<id>|1|fields/session",
    "unefois/key/v1|<id>|1|fields/upload",
    "unefois/key/v1|<id>|1|hash/content",
    "unefois/key/v1|<id>|1|tag/session-network",
    "unefois/key/v1|fields|1|fields/audit_key",
    "unefois/key/v1|fields|1|fields/client",
    "unefois/key/v1|fields|1|fields/consent_request",
    "unefois/key/v1|fields|1|fields/log_key",
    "unefois/key/v1|fields|1|fields/meeting",
    "unefois/key/v1|fields|1|fields/message",
    "unefois/key/v1|fields|1|fields/organisation",
    "unefois/key/v1|fields|1|fields/person_label",
    "unefois/key/v1|fields|1|fields/receipt_key",
    "unefois/key/v1|fields|1|fields/sent_request",
    "unefois/key/v1|fields|1|fields/session",
    "unefois/key/v1|fields|1|fields/sign_in",
    "unefois/key/v1|fields|1|fields/signing_key",
    "unefois/key/v1|fields|1|fields/worker",
    "unefois/key/v1|fields|1|tag/session-network",
    "unefois/key/v1|index/document-type|1|tag",
    "unefois/key/v1|index/email|1|tag",
    "unefois/key/v1|index/idempotency-body|1|tag",
    "unefois/key/v1|index/idempotency-key|1|tag",
    "unefois/key/v1|index/log-actor|1|tag",
    "unefois/key/v1|index/log-person|1|tag",
    "unefois/key/v1|index/meeting-code|1|tag",
    "unefois/key/v1|index/met|1|tag",
    "unefois/key/v1|index/monitoring|1|tag",
    "unefois/key/v1|index/network|1|tag",
    "unefois/key/v1|index/pace|1|tag",
    "unefois/key/v1|index/rate|1|tag",
    "unefois/key/v1|index/receipt-code|1|tag",
    "unefois/key/v1|index/page-form|1|tag",
    "unefois/key/v1|index/phone|1|tag",
    "unefois/key/v1|index/sign-in-code|1|tag",
    "unefois/key/v1|index/worker-person|1|tag",
    *(f"unefois/key/v1|row-macs|1|row/{table}/1" for table in ROW_COLUMNS if table not in UNTOLD),
]

FIELDS_BOUND = [
    "unefois/fields/v1|audit_key|<row>",
    "unefois/fields/v1|client|<row>",
    "unefois/fields/v1|consent_evidence|<row>",
    "unefois/fields/v1|consent_request|<row>",
    "unefois/fields/v1|document_version|<row>",
    "unefois/fields/v1|document|<row>",
    "unefois/fields/v1|grant|<row>",
    "unefois/fields/v1|log_key|<row>",
    "unefois/fields/v1|meeting|<row>",
    "unefois/fields/v1|message|<row>",
    "unefois/fields/v1|organisation|<row>",
    "unefois/fields/v1|person_label|<row>",
    "unefois/fields/v1|person|<row>",
    "unefois/fields/v1|receipt_key|<row>",
    "unefois/fields/v1|sent_request|<row>",
    "unefois/fields/v1|session|<row>",
    "unefois/fields/v1|sign_in|<row>",
    "unefois/fields/v1|signing_key|<row>",
    "unefois/fields/v1|upload|<row>",
    "unefois/fields/v1|worker|<row>",
]

ROLES = ("original", "preview", "rendition", "thumbnail", "upload")
ENVELOPES_BOUND = [f"unefois/envelope/v2|{role}|<id>|<id>|0|<blob>" for role in ROLES]

FILES_DERIVED = [
    f"{purpose}:{salt}unefois/file/v1|{role}|<id>"
    for purpose, salt in (("DEK", "<8>"), ("HEADER_TAG", ""), ("MESSAGE_KEY", ""))
    for role in ROLES
]

_WRAP = '{"context":{"purpose":"unefois/secret/v1","subject":"<>","version":"1"},"root":"<root>"}'
WRAPS_BOUND = [
    _WRAP.replace("<>", subject) for subject in {one.split("|")[1] for one in HKDF_INFOS}
]

# The use, then its parts.
TAGS = """
document-type <16> income_tax_notice
document-type <16> income_tax_notice sensitive
email <email>
idempotency-body <32> <body>
idempotency-key <16> approve/<id> a-key
idempotency-key <16> consent-requests a-key
idempotency-key <16> deposit/<id>/None a-key
idempotency-key <16> deposit/<id>/<id> a-key
idempotency-key <16> grants a-key
idempotency-key <16> uploads/document/<id> <64>
log-actor client <16>
log-actor worker <16>
log-person <16>
meeting-code <code>
met <id>
monitoring a-consumer
network <32> unknown
pace consent-request <16>
pace give <16>
page-form <secret>
phone <phone>
pseudonym <kind> <value>
rate account <16>
rate decoding <16>
rate meeting <16>
rate meeting-code <16>
rate network <9>
receipt-code <16>
session-network <16> 192.0.2.1
sign-in-code <16> <code>
worker-person <16>
worker-person <16> <16>
""".strip().splitlines()
