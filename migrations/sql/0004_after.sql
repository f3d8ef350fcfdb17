-- A grant becomes one row: its types and its papers, in the order of their tags and ids.
UPDATE unefois."grant" g SET
    type_tags = ARRAY(SELECT type_tag FROM unefois.grant_type t
        WHERE t.grant_id = g.id ORDER BY type_tag),
    document_ids = ARRAY(SELECT document_id FROM unefois.grant_document d
        WHERE d.grant_id = g.id ORDER BY document_id);
ALTER TABLE unefois."grant" ALTER COLUMN type_tags SET NOT NULL;
ALTER TABLE unefois."grant" ALTER COLUMN document_ids SET NOT NULL;
DROP TABLE unefois.grant_type;
DROP TABLE unefois.grant_document;

-- A warning of before has no MAC: those people are warned once more.
DELETE FROM unefois.log_warning;

-- The service may do to each table what its code does, and nothing else: no UPDATE where nothing
-- updates, column by column where something does; no DELETE on history. A vault's rows go by the
-- cascade of their foreign keys, which runs as the tables' owner.
REVOKE ALL ON unefois.person, unefois.organisation, unefois.worker, unefois.client,
    unefois.wrapped_key, unefois.root_version, unefois.audit_key, unefois.access_event,
    unefois.access_outcome, unefois."grant", unefois.grant_history, unefois.consent_request,
    unefois.document, unefois.document_version, unefois.sealed_file, unefois.idempotency,
    unefois.attempt, unefois.used_assertion, unefois.signing_key
    FROM unefois_service;
GRANT SELECT, INSERT ON unefois.person, unefois.organisation, unefois.worker, unefois.client,
    unefois.wrapped_key, unefois.root_version, unefois.audit_key, unefois.access_event,
    unefois.access_outcome, unefois."grant", unefois.grant_history, unefois.consent_request,
    unefois.document, unefois.document_version, unefois.sealed_file, unefois.idempotency,
    unefois.attempt, unefois.used_assertion, unefois.signing_key
    TO unefois_service;
-- Erasure, the end of a year of the log, purges, and what has expired.
GRANT DELETE ON unefois.person, unefois.wrapped_key, unefois.audit_key, unefois.document,
    unefois.consent_request, unefois.idempotency, unefois.attempt, unefois.used_assertion,
    unefois.signing_key
    TO unefois_service;
GRANT UPDATE (used_at, mac) ON unefois.person TO unefois_service;
GRANT UPDATE (active, mac) ON unefois.worker, unefois.client TO unefois_service;
GRANT UPDATE (root_version, wrapped) ON unefois.wrapped_key TO unefois_service;
GRANT UPDATE (active, retire_at, destroyed_at) ON unefois.root_version TO unefois_service;
GRANT UPDATE (retired_at) ON unefois.signing_key TO unefois_service;
GRANT UPDATE (revoked_at, type_tags, document_ids, sealed, mac) ON unefois."grant"
    TO unefois_service;
GRANT UPDATE (person_id, sealed, answer, answered_at, mac) ON unefois.consent_request
    TO unefois_service;
GRANT UPDATE (version_id, type_tag, typed_at, revision, sealed, deleted_at, notice_at, mac)
    ON unefois.document TO unefois_service;
GRANT UPDATE (scan, mac) ON unefois.document_version TO unefois_service;
