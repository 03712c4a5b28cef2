#!/bin/sh
# Read what backup.sh wrote from standard input and put it in the place of what is there.
# Each database is replaced whole or not at all. No server may run meanwhile.
set -eu
: "${MLFLOW_DB:=mlflow}" "${OPTUNA_DB:=optuna}" "${ARTIFACTS:=/artifacts}"
if [ -t 0 ]; then
  echo "this reads a backup from standard input: add '< backup.tar'" >&2
  exit 2
fi
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 077

tar -C "$stage" -xf -
# all of it has to be readable before anything is replaced
for name in mlflow optuna; do
  pg_restore --no-owner --no-acl --file "$stage/$name.sql" "$stage/$name.dump"
done
[ -d "$stage/artifacts" ]

replace() { # database, file with its owner's password, statements
  PGPASSWORD=$(cat "$2") psql --host "${POSTGRES_HOST:-db}" --port "${POSTGRES_PORT:-5432}" \
    --username "$1" --no-password --dbname "$1" --no-psqlrc --quiet --output /dev/null \
    --set ON_ERROR_STOP=1 --single-transaction \
    --command "SET lock_timeout = '10s'" \
    --command 'SET client_min_messages = warning' \
    --command 'DROP SCHEMA public CASCADE' --command 'CREATE SCHEMA public' --file "$3"
}
replace "$MLFLOW_DB" "$MLFLOW_DB_PASSWORD_FILE" "$stage/mlflow.sql"
replace "$OPTUNA_DB" "$OPTUNA_DB_PASSWORD_FILE" "$stage/optuna.sql"
umask 022
cp -R "$stage/artifacts/." "$ARTIFACTS/"
echo "Restored. Start the servers; what workers have delivered since: 'attnstudy sync' delivers it again." >&2
