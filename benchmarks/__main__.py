"""`python -m benchmarks VERB`: runs one verb, prints its table and, last, one JSON line."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence

VERBS = (
    "quality", "use", "ask", "recall", "filter", "batch", "decay", "cover", "ingest", "write",
    "open", "durability", "gpu", "gpu-graphs",
    "traverse", "propagate", "ingest-graph", "kgqa",
)  # fmt: skip
_SHOW_ONLY_JSON = "-"


def pin_threads(arguments: Sequence[str]) -> None:
    """Give BLAS and OpenMP the count of --threads; both read it when they are first loaded."""
    count = "1"
    for index, argument in enumerate(arguments):
        if argument == "--threads" and index + 1 < len(arguments):
            count = arguments[index + 1]
        elif argument.startswith("--threads="):
            count = argument.split("=", 1)[1]
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = count


def parser() -> argparse.ArgumentParser:
    """Every verb with its options, and `all`."""
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True)
    for verb in VERBS:
        module = importlib.import_module(f"benchmarks.{verb.replace('-', '_')}")
        one = verbs.add_parser(verb, help=(module.__doc__ or "").split("\n")[0])
        module.add_arguments(one)
        _common(one)
    _common(verbs.add_parser("all", help="every verb with its default options"))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 if it ran, whether or not its targets are met."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    pin_threads(given)
    options = parser().parse_args(given)
    verbs = list(VERBS) if options.verb == "all" else [options.verb]
    reports = []
    for verb in verbs:
        module = importlib.import_module(f"benchmarks.{verb.replace('-', '_')}")
        if options.verb == "all":
            options_of_verb = parser().parse_args([verb, *(["--quick"] * options.quick)])
        else:
            options_of_verb = options
        report = module.run(options_of_verb)
        if options.json != _SHOW_ONLY_JSON:
            report.show()
        reports.append(report.to_dict())
    result = {"verb": "all", "reports": reports} if options.verb == "all" else reports[0]
    if options.json not in (None, _SHOW_ONLY_JSON):
        from .harness import write_json

        write_json(options.json, result)
    print(json.dumps(result))
    return 0


def _common(one: argparse.ArgumentParser) -> None:
    one.add_argument("--quick", action="store_true", help="small sizes, under 20 seconds")
    one.add_argument(
        "--json",
        nargs="?",
        const=_SHOW_ONLY_JSON,
        metavar="FILE",
        help="also write the result to FILE; without FILE, print nothing but the JSON line",
    )


if __name__ == "__main__":
    sys.exit(main())
