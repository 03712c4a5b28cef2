#!/bin/sh
# Create MLflow's and Optuna's databases, each with an owner who has nothing else. Run again, it sets
# the owners' passwords to what the files say. Who runs it is Postgres' superuser.
set -eu
: "${MLFLOW_DB:=mlflow}" "${OPTUNA_DB:=optuna}"
: "${MLFLOW_DB_PASSWORD_FILE:?names the file with the password of the owner}"
: "${OPTUNA_DB_PASSWORD_FILE:?names the file with the password of the owner}"
export MLFLOW_DB OPTUNA_DB MLFLOW_DB_PASSWORD_FILE OPTUNA_DB_PASSWORD_FILE

# psql reads the files itself: in an argument, a password is for everybody to see
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
-- passwords stand in these statements: none of them goes into the log
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
\set mlflow `printf %s "$MLFLOW_DB"`
\set optuna `printf %s "$OPTUNA_DB"`
\set mlflow_password `cat "$MLFLOW_DB_PASSWORD_FILE"`
\set optuna_password `cat "$OPTUNA_DB_PASSWORD_FILE"`

SELECT format('CREATE ROLE %I LOGIN', wanted.name)
  FROM (VALUES (:'mlflow'), (:'optuna')) AS wanted (name)
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) \gexec
ALTER ROLE :"mlflow" PASSWORD :'mlflow_password';
ALTER ROLE :"optuna" PASSWORD :'optuna_password';

SELECT format('CREATE DATABASE %I OWNER %I', wanted.name, wanted.name)
  FROM (VALUES (:'mlflow'), (:'optuna')) AS wanted (name)
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = wanted.name) \gexec
REVOKE ALL ON DATABASE :"mlflow" FROM PUBLIC;
REVOKE ALL ON DATABASE :"optuna" FROM PUBLIC;
SQL
