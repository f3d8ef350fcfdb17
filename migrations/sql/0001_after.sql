-- The log only grows (invariant 6): first by privilege, then by trigger, for every role.
CREATE FUNCTION unefois.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the log only grows: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON unefois.access_event
    FOR EACH STATEMENT EXECUTE FUNCTION unefois.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON unefois.access_outcome
    FOR EACH STATEMENT EXECUTE FUNCTION unefois.refuse_change();

GRANT USAGE ON SCHEMA unefois TO unefois_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA unefois TO unefois_service;
REVOKE UPDATE, DELETE, TRUNCATE ON unefois.access_event, unefois.access_outcome FROM unefois_service;
REVOKE UPDATE, TRUNCATE ON unefois.audit_key, unefois.grant_history, unefois.used_assertion
    FROM unefois_service;
REVOKE INSERT, UPDATE, DELETE ON unefois.alembic_version FROM unefois_service;

-- procrastinate keeps its own tables in `public`.
GRANT USAGE ON SCHEMA public TO unefois_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO unefois_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO unefois_service;
