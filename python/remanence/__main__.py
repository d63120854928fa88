"""`python -m remanence`: the command line; with --cmake-dir, the folder for find_package."""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
