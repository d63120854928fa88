"""The `remanence` command: its options, and how an error becomes one sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from .. import InvalidArgumentError, NotFoundError, RemanenceError, __version__
from ..ingest import BadInputError
from . import commands, importing
from .demo import demo
from .doctor import cmake_dir, doctor
from .show import Output, fail

if TYPE_CHECKING:
    _Verbs = argparse._SubParsersAction["_Parser"]

DEFAULT_STORE = "memory.remanence"
BAD_INPUT = 2
FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: done, 1: it failed or found a fault, 2: bad input."""
    options = build_parser().parse_args(arguments)
    try:
        code: int = options.run(options, Output())
        sys.stdout.flush()
        return code
    except (BadInputError, InvalidArgumentError, NotFoundError) as error:
        fail(_sentence(error))
        return BAD_INPUT
    except BrokenPipeError:
        # The reader of a pipe has left; Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (RemanenceError, OSError) as error:
        fail(_sentence(error))
        return FAILED
    except KeyboardInterrupt:
        fail("interrupted")
        return 130


def _sentence(error: Exception) -> str:
    """The message on one line; a KeyError would quote itself."""
    message = str(error.args[0]) if len(error.args) == 1 else str(error)
    return " ".join(message.split())


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line and where help is."""

    def error(self, message: str) -> NoReturn:
        fail(f"{self.prog}: {message} (see {self.prog} --help)")
        sys.exit(BAD_INPUT)


class _CMakeDir(argparse.Action):
    """Prints the folder whole: argparse's own printing would wrap a long path."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        sys.stdout.write(f"{cmake_dir() or ''}\n")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = _Parser(
        prog="remanence",
        description="A memory engine: what is similar, alive, connected and believed, in one call.",
    )
    parser.add_argument("--version", action="version", version=f"remanence {__version__}")
    parser.add_argument(
        "--cmake-dir",
        action=_CMakeDir,
        nargs=0,
        help="print the folder that find_package(remanence) needs",
    )
    verbs = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_demo(verbs)
    _add_import(verbs)
    _add_questions(verbs)
    _add_care(verbs)
    return parser


def _store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        metavar="PATH",
        default=os.environ.get("REMANENCE_STORE") or DEFAULT_STORE,
        help="the store (default: REMANENCE_STORE, else ./memory.remanence)",
    )


def _filters(parser: argparse.ArgumentParser) -> None:
    _store(parser)
    parser.add_argument("--scope", metavar="A/B", help="only memories of this scope and below")
    parser.add_argument("--as-of", metavar="TIME", help="as the store knew it then")
    parser.add_argument("--valid-at", metavar="TIME", help="what was true then")


def _add_demo(verbs: _Verbs) -> None:
    parser = verbs.add_parser("demo", help="two years of notes, remembered in a few seconds")
    parser.add_argument("--keep", metavar="DIR", help="keep the store in this folder")
    parser.set_defaults(run=demo)


def _add_import(verbs: _Verbs) -> None:
    parser = verbs.add_parser("import", help="remember a file: .jsonl, .json, .txt or .md")
    parser.add_argument("file", metavar="FILE")
    _store(parser)
    parser.add_argument("--scope", metavar="A/B", help="put all rows under this scope")
    parser.set_defaults(run=importing.run)


def _add_questions(verbs: _Verbs) -> None:
    parser = verbs.add_parser("recall", help="what is remembered about a question")
    parser.add_argument("query", metavar="QUESTION")
    parser.add_argument("--k", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--explain", action="store_true", help="why each one: terms in nats")
    _filters(parser)
    parser.set_defaults(run=commands.recall)
    parser = verbs.add_parser("context", help="what a prompt needs to know, within a budget")
    parser.add_argument("query", metavar="QUESTION")
    parser.add_argument("--budget", metavar="N", type=int, default=1000, help="tokens (1000)")
    _filters(parser)
    parser.set_defaults(run=commands.context)


def _add_care(verbs: _Verbs) -> None:
    parser = verbs.add_parser("history", help="all versions of a memory")
    parser.add_argument("id", metavar="ID", type=int)
    _store(parser)
    parser.set_defaults(run=commands.history)
    for name, run, text in (
        ("stats", commands.stats, "how much there is"),
        ("verify", commands.verify, "replay the whole log and compare"),
    ):
        parser = verbs.add_parser(name, help=text)
        _store(parser)
        parser.set_defaults(run=run)
    parser = verbs.add_parser("doctor", help="what works on this machine, and why not")
    parser.set_defaults(run=doctor)
