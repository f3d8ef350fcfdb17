"""The names that derive keys: each gives a key, its bytes never change, a new use gets a new name.

A name is part of an HKDF info or of associated data: under another name, nothing sealed or tagged
so far could be opened or found. `tests/base/test_key_names.py` holds every value;
docs/formats/sealed-file.md says what each key is for.
"""

# Tables whose rows are sealed: the keys `fields/<table>`.
PERSON = "person"
WORKER = "worker"
CLIENT = "client"
ORGANISATION = "organisation"
SIGN_IN = "sign_in"
CARD = "card"
PIN = "pin"
PIN_STEP = "pin_step"
SESSION = "session"
MESSAGE = "message"
SIGNING_KEY = "signing_key"
RECEIPT_KEY = "receipt_key"
AUDIT_KEY = "audit_key"
LOG_KEY = "log_key"
DOCUMENT = "document"
DOCUMENT_VERSION = "document_version"
CONSENT_REQUEST = "consent_request"
SENT_REQUEST = "sent_request"
"""A request as its sender reads it back: under the service's key, with a vault or without."""
GRANT = "grant"
CONSENT_EVIDENCE = "consent_evidence"
MANDATE = "mandate"
REPORT = "report"
PERSON_LABEL = "person_label"
"""What a worker calls a person: under the service's key, so that listing opens no vault's key."""
MEETING = "meeting"
"""Under the service's key: both sides read it."""
JOIN = "vault_join"
"""The digits, until they are typed: under the service's key."""
RECOVERY = "recovery"
"""Who saw the person, and what was shown: under the service's key, since two vaults read it."""
REACHED_PHONE = "reached_phone"
"""No table: that a phone answered at the desk, for the worker who asked, under the service's
key."""
SEARCH = "search"
"""No table: what was looked for, in an address, under the service's key."""
DESK_VISIT = "desk_visit"
"""No table: a vault that is being opened at the desk, between its pages, under the service's
key."""
FAILURE_NOTE = "failure_note"
"""No table: what a page says of a form with a PIN in it, in a cookie, under the service's key."""
SHOWN_CARD = "shown_card"
"""No table: a card that was just made, for the page that shows it, in a cookie, under the service's
key."""
UPLOAD = "upload"
"""Also the role of the sealed pieces of an upload."""

# Uses of keyed tags under the service's secrets `index/<use>`.
PHONE = "phone"
EMAIL = "email"
SIGN_IN_CODE = "sign-in-code"
ERASURE_CODE = "erasure-code"
CARD_MARK = "card-mark"
"""An installation's mark on its cards."""
CARD_CODE = "card-code"
CARD_SECRET = "card-secret"  # noqa: S105  (a name, not a secret)
ANCHOR = "anchor"
"""Who somebody is on their identity paper."""
DESK_FORM = "desk-form"
"""A form of the desk that opened a vault."""
PIN_PEPPER = "pin-pepper"
PIN_DECOY = "pin-decoy"
PHONE_MEANS = "phone-means"
"""A phone's id among the means of its vault."""
PHONE_GUESSES = "phone-guesses"
"""A phone in the log of the service, where its wrong PINs are counted."""
MEANS_COUNTS = "means-counts"
"""A person, where the wrong proofs of changes of their means are counted, and the PINs chosen."""
MEETING_CODE = "meeting-code"
JOIN_CODE = "join-code"
RECOVERY_CODE = "recovery-code"
MET = "met"
"""Of a meeting, in the place of the phone that a request was sent to."""
NETWORK = "network"
DOCUMENT_TYPE = "document-type"
RECEIPT_CODE = "receipt-code"
MANDATE_PAGE = "mandate-page"
"""Of a page of a mandate, in its QR code."""
PERSON_NAME = "person-name"
"""Of a worker beside a person, and of who heard them: two names that must differ."""
WORKER_PERSON = "worker-person"
"""A person's id as one worker sees it (docs/adr/0037)."""
LOG_PERSON = "log-person"
LOG_ACTOR = "log-actor"
IDEMPOTENCY_KEY = "idempotency-key"
IDEMPOTENCY_BODY = "idempotency-body"
PACE = "pace"
RATE = "rate"
PAGE_FORM = "page-form"
PROXY_CHECK = "proxy-check"
MONITORING = "monitoring"
PSEUDONYM = "pseudonym"
"""Under the key that `MONITORING` gives a consumer."""

# Uses of keyed tags under a person's own secret, or the service's for a worker: the keys
# `tag/<use>`.
SESSION_NETWORK = "session-network"

# Uses of running hashes under a person's own secret: the keys `hash/<use>`.
CONTENT = "content"

# Roles of sealed files: the keys `envelope/<role>`, and the files' own associated data.
ORIGINAL = "original"
RENDITION = "rendition"
PREVIEW = "preview"
THUMBNAIL = "thumbnail"

# Uses of the service's own secrets, beside `index/<use>`.
FIELDS = "fields"
"""Seals the rows that belong to nobody's vault."""

ROW_MACS = "row-macs"
"""Authenticates rows: the keys `row/<table>/<version>`. Made once, with the first root version or
by `unefois bind-rows`; never made again when it is missing."""
