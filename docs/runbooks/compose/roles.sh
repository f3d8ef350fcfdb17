#!/bin/sh
# Run once by the image of PostgreSQL: the database, its owner, and the restricted role.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
  -v owner="$OWNER_PASSWORD" -v service="$SERVICE_PASSWORD" <<'SQL'
CREATE ROLE unefois_service NOLOGIN;
CREATE ROLE unefois_owner LOGIN PASSWORD :'owner';
CREATE ROLE unefois_service_login LOGIN PASSWORD :'service' IN ROLE unefois_service;
CREATE DATABASE unefois OWNER unefois_owner;
REVOKE ALL ON DATABASE unefois FROM PUBLIC;
GRANT CONNECT ON DATABASE unefois TO unefois_service;
SQL
