"""``python -m attnstudy``."""

import os
import sys

# Python puts the folder in which it is called before all that is installed, so that whatever lies
# there under a library's name would be run
if sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109  # as Python writes it
    sys.path.append(sys.path.pop(0))

from attnstudy.cli import main

if __name__ == "__main__":
    main()
