"""Exit with 0 if what listens at this container's port answers the path that is given."""

from __future__ import annotations

import os
import sys
import urllib.request

address = f"http://127.0.0.1:{os.environ['LISTEN_PORT']}{sys.argv[1]}"
try:
    urllib.request.urlopen(address, timeout=5).close()
except OSError as error:
    raise SystemExit(f"{address}: {error}") from error
