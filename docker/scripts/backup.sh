#!/bin/sh
# Write both databases and the artifacts to standard output, as one tar file.
# The databases first: of an artifact that comes later there is too much, never too little.
set -eu
: "${MLFLOW_DB:=mlflow}" "${OPTUNA_DB:=optuna}" "${ARTIFACTS:=/artifacts}"
if [ -t 1 ]; then
  echo "this writes a tar file to standard output: add '> backup.tar'" >&2
  exit 2
fi
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 077

dump() { # database, file with its owner's password, name in the tar file
  PGPASSWORD=$(cat "$2") pg_dump --host "${POSTGRES_HOST:-db}" --port "${POSTGRES_PORT:-5432}" \
    --username "$1" --no-password --format custom --no-owner --no-acl --file "$stage/$3" "$1"
}
dump "$MLFLOW_DB" "$MLFLOW_DB_PASSWORD_FILE" mlflow.dump
dump "$OPTUNA_DB" "$OPTUNA_DB_PASSWORD_FILE" optuna.dump
# 1 is how GNU tar says that a file was changed meanwhile: its run came after the dump
rc=0
tar --transform 's,^\.,artifacts,' -cf - -C "$stage" mlflow.dump optuna.dump -C "$ARTIFACTS" . || rc=$?
[ "$rc" -le 1 ]
