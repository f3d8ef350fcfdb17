"""Names that are stored, sent or agreed on, for `tests/test_stored_names.py`: a family a line.

Only add: a database, a backup or a configuration holds each of them.
"""

SETTINGS = """
UNEFOIS_MODE UNEFOIS_HOME UNEFOIS_PUBLIC_URL UNEFOIS_QUICK_EXIT_URL UNEFOIS_HOST UNEFOIS_PORT
DATABASE_URL MIGRATIONS_DATABASE_URL UNEFOIS_DATABASE_POOL UNEFOIS_BLOB_STORE
UNEFOIS_S3_ENDPOINT_URL UNEFOIS_S3_BUCKET UNEFOIS_S3_REGION UNEFOIS_S3_ACCESS_KEY
UNEFOIS_S3_SECRET_KEY UNEFOIS_S3_PARTS_FOLDER UNEFOIS_KEY_PROVIDER UNEFOIS_KMS_KEY_ID
UNEFOIS_KMS_REGION UNEFOIS_KMS_ENDPOINT_URL UNEFOIS_KEY_RETENTION_DAYS UNEFOIS_MESSENGER
UNEFOIS_SMTP_HOST UNEFOIS_SMTP_PORT UNEFOIS_SMTP_USER UNEFOIS_SMTP_PASSWORD UNEFOIS_SMTP_START_TLS
UNEFOIS_OPERATOR_EMAIL UNEFOIS_REPORT_ANSWER_DAYS UNEFOIS_MAIL_FROM UNEFOIS_SMS_GATEWAY_URL
UNEFOIS_SMS_GATEWAY_TOKEN UNEFOIS_CLAMD_ADDRESS UNEFOIS_SPEECH_COMMAND UNEFOIS_MAX_DOCUMENT_BYTES
UNEFOIS_MAX_PARTS UNEFOIS_DECODERS UNEFOIS_REQUESTS_PER_HOUR UNEFOIS_CLIENT_REQUESTS_PER_HOUR
UNEFOIS_SIGN_INS_PER_HOUR UNEFOIS_SIGN_INS_PER_HOUR_FROM_ONE_ADDRESS UNEFOIS_FAILURES_AT_ONCE
UNEFOIS_FAILURES_PER_MINUTE UNEFOIS_PERSON_SESSION_HOURS UNEFOIS_WORKER_SESSION_HOURS
UNEFOIS_LOG_ORIGIN UNEFOIS_LOG_CADENCE_SECONDS UNEFOIS_LOG_PADDING_EVENTS UNEFOIS_LOG_WITNESSES
UNEFOIS_LOG_WITNESSES_NEEDED UNEFOIS_LOG_RETENTION_YEARS UNEFOIS_SEQUENCER_IN_PROCESS
UNEFOIS_JOBS_IN_PROCESS UNEFOIS_MAX_VAULT_DOCUMENTS UNEFOIS_MAX_VAULT_BYTES
UNEFOIS_MAX_GRANT_DOCUMENTS UNEFOIS_MAX_GRANT_BYTES UNEFOIS_MAX_VERSIONS
UNEFOIS_DECODING_SECONDS_PER_HOUR UNEFOIS_LOG_LEVEL UNEFOIS_TRUSTED_PROXIES
UNEFOIS_MANAGEMENT_HOST UNEFOIS_MANAGEMENT_PORT
"""

ACTIONS = """
anchor.enrol anchor.remove
client.add client.bar
consent.approve consent.not_me consent.refuse consent.request consent.withdraw
document.attest document.correct document.delete document.deposit document.infected document.list
document.preview document.purge document.read document.refuse_type document.restore
document.suggest_type document.version
grant.give grant.give_back grant.go_on grant.narrow grant.revoke grant.see
keys.destroy keys.rotate
log.padding log.read log.report
means.add means.free means.remove means.stop means.wait means.wait_end
meeting.agree meeting.answer meeting.end meeting.open
network.pace
organisation.add organisation.change
person.see
pin.set
protection.end protection.note
recovery.begin recovery.confirm recovery.means recovery.open recovery.second recovery.stop
representation.begin representation.end representation.enter representation.name representation.see
representation.show
report.answer report.see
rows.bind rows.refuse
service.closing service.closing_end
sign_in.code sign_in.end sign_in.failure sign_in.success
token.issue token.refuse
trusted.accept trusted.end trusted.name trusted.see trusted.vouch
vault.erase vault.erase_asked vault.erase_cancelled vault.erase_code vault.export
vault.export_asked vault.import vault.join vault.join_code vault.join_end vault.join_see vault.leave
vault.open
worker.add worker.bar
"""

REASONS = """
action_not_granted added_later answered approved assisted assisted_long assisted_sensitive
card_too_new closed code_wrong
document_deleted document_not_covered
expired
grant_full
infected
join_code
lapsed
meeting_code meeting_over meeting_waits
no_phone no_room not_addressee not_found not_owner not_recipient not_yet nothing_granted
outdated outside_token
paced phone_too_new
recovered_lately recovery_code report_answered representation_code represented revoked
same_agent sensitive_by_type shared_device
token_scope too_many_codes trusted_code type_known type_not_covered
unknown_document unknown_recipient
widened withdrawn
"""

TABLES = """
access_event access_outcome alembic_version anchor archive archive_piece attempt audit_key
browser
card client closing closing_step consent_evidence consent_request
deposit_total desk_form document document_version
erased_vault erasure_code
grant grant_history
idempotency
log_checkpoint log_key log_leaf log_warning log_watch
mandate meeting message
organisation
pending_erasure person person_label pin pin_step
rate_bucket receipt_key recovery report representation root_version
sealed_file session sign_in sign_in_code sign_in_try signing_key
trusted_person
upload upload_piece used_assertion
vault_join
worker wrapped_key wrong_codes
"""

COMMANDS = """
audit export
audit reconcile
backup
bind-rows
client add
client bar
closing
demo
erasures apply
erasures export
init
keys renew
keys rotate
migrate
organisation add
organisation desk
reports answer
reports list
reports see
restore
serve
sweep
verify
verify export
verify receipt
voices
witness
work
worker add
worker bar
"""
