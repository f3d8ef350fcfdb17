-- The leaves, the checkpoints and the log's key are append-only, like the events.
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON unefois.log_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION unefois.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON unefois.log_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION unefois.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON unefois.log_key
    FOR EACH STATEMENT EXECUTE FUNCTION unefois.refuse_change();

REVOKE ALL ON unefois.log_leaf, unefois.log_checkpoint, unefois.log_key, unefois.log_watch
    FROM unefois_service;
GRANT SELECT, INSERT ON unefois.log_leaf, unefois.log_checkpoint, unefois.log_key
    TO unefois_service;
GRANT SELECT, UPDATE ON unefois.log_watch TO unefois_service;

-- NOTIFY takes one lock for the whole server until its commit is flushed: commits that notify
-- run one by one. So only a sleeping sequencer is woken; one that is awake polls.
INSERT INTO unefois.log_watch (one, asleep) VALUES (true, false);
CREATE FUNCTION unefois.wake_sequencer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM unefois.log_watch WHERE asleep) THEN
        PERFORM pg_notify('unefois_event', '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER wake_sequencer AFTER INSERT ON unefois.access_event
    FOR EACH STATEMENT EXECUTE FUNCTION unefois.wake_sequencer();
