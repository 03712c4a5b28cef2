#!/bin/sh
# Back the stack up into a new file, which is for its owner alone: it holds all accounts.
set -eu
file=${1:?names the file to write}
umask 077
set -C # a file that is there may be for others to read, and is no place for this
: >"$file"
set +C
if ! docker compose run --rm -T backup >"$file"; then
  rm -f "$file"
  exit 1
fi
