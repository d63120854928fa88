"""`remanence import FILE`: one file, one commit, applied once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import open
from ..ingest import import_file, read
from .show import Output


def run(options: argparse.Namespace, output: Output) -> int:
    """Read the file whole, then store it in one commit; doing it again changes nothing."""
    path = Path(options.file)
    read(path)  # a refused file must not make a store
    with open(options.store) as memory:
        before = memory.stats().memories
        done = import_file(memory, path, scope=options.scope or "", progress=sys.stderr.isatty())
        added, rows = memory.stats().memories - before, len(done.ids)
    if done.again:
        output.line(f"{path.name} was imported before; nothing changed in {options.store}")
    else:
        named = f" and {added - rows:,} named things" if added > rows else ""
        output.line(f"{rows:,} memories{named} from {path.name} in {options.store}")
    return 0
