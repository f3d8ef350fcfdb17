-- The service's clock. Tests replace it; nothing else reads a clock in SQL.
CREATE FUNCTION unefois.now() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    AS 'SELECT statement_timestamp()';

-- The group role of the running service. The operator's login role is a member of it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'unefois_service') THEN
        CREATE ROLE unefois_service NOLOGIN;
    END IF;
END
$$;
