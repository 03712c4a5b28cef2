#!/bin/sh
# Install the package with what the stack runs, in the versions that were tested together.
# TORCH_BUILD=cpu (default) takes torch from TORCH_INDEX_URL; TORCH_BUILD=cuda takes what the default
# index has for Linux, or what TORCH_INDEX_URL has.
set -eu
build=${TORCH_BUILD:-cpu}
index=${TORCH_INDEX_URL:-}
case $build in cpu | cuda) ;; *)
  echo "TORCH_BUILD is cpu or cuda, not $build" >&2
  exit 2
  ;;
esac
if [ "$build" = cpu ] && [ -z "$index" ]; then
  echo "give TORCH_INDEX_URL the index of CPU builds (docker/README.md says where to find it), or" \
    "TORCH_BUILD=cuda" >&2
  exit 2
fi
set -- python -m pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt
if [ -n "$index" ]; then
  "$@" --index-url "$index" torch torchvision
fi
"$@" '.[server]'
