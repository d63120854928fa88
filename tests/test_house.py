"""House rules as tests: who may import whom, how long a file is, what the first line says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "remanence"
CPP = ROOT / "cpp"

# Rooms that a room may import when it is loaded; "" is the package itself.
ROOMS: dict[str, set[str]] = {
    "": {"memory", "context", "ingest"},
    "text": set(),
    "models": set(),
    "demo": set(),
    "memory": {"text", "models"},
    "integrations": {"memory"},
    "context": {"memory", "text", "models"},
    "ingest": {"memory", "text"},
    "cli": {"", "context", "demo", "ingest", "memory", "models", "text"},
}
# Imports inside a function: the verb of a lower room that a higher room carries out.
LATE = {("memory", "context"), ("__main__", "cli")}
ENTRANCES = {"__init__", "__main__"}
HEAVY = {
    "cupy", "faiss", "fastembed", "igraph", "networkx", "openai", "pyarrow", "scipy",
    "sentence_transformers", "torch",
}  # fmt: skip
LAZY_PLACES = ("models/providers/", "memory/adapters/", "integrations/networkx/")
MAX_LINES, MAX_COLUMNS, MAX_FUNCTION = 400, 100, 70


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def cpp_files(folder: Path = CPP) -> list[Path]:
    kinds = {".cpp", ".hpp", ".inl", ".cu", ".cuh"}
    return sorted(path for path in folder.rglob("*") if path.suffix in kinds)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem if path.stem == "__main__" else ""


def imports(path: Path) -> Iterator[tuple[str, bool, int]]:
    """(absolute module, at load time?, line) of every import; types-only imports are left out."""

    def walk(nodes: list[ast.stmt], late: bool) -> Iterator[tuple[ast.stmt, bool]]:
        for node in nodes:
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                continue
            yield node, late
            inner = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.stmt | ast.ExceptHandler):
                    yield from walk([child], inner)  # type: ignore[list-item]

    folder = path.relative_to(PACKAGE.parent).parent.parts if path.is_relative_to(PACKAGE) else ()
    for node, late in walk(tree(path).body, False):
        if isinstance(node, ast.Import):
            yield from ((name.name, not late, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            if module == "remanence" and node.level:
                # `from .. import x` names a sibling room or something the package offers.
                names = [name.name for name in node.names]
                yield from (
                    (f"remanence.{n}" if (PACKAGE / n).is_dir() else module, not late, node.lineno)
                    for n in names
                )
            else:
                yield module, not late, node.lineno


def test_rooms_import_in_one_direction() -> None:
    wrong = []
    for path in python_files("python/remanence"):
        room = room_of(path)
        for module, at_load, line in imports(path):
            if module.split(".")[0] != "remanence":
                continue
            target = [*module.split("."), ""][1]
            target = "" if target == "_core" or not (PACKAGE / target).is_dir() else target
            inside = target == room or (target == "" and module != "remanence")
            allowed = target in ROOMS.get(room, set()) or (
                (room, target) in LATE and (not at_load or room in ENTRANCES)
            )
            if not inside and not allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{line} {room or 'package'} -> {module}")
    assert not wrong, wrong


def test_every_room_has_a_rule() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= set(ROOMS), f"add to ROOMS: {rooms - set(ROOMS)}"


def test_only_memory_imports_the_core() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files("python/remanence")
        for module, _, line in imports(path)
        if module.startswith("remanence._core") and room_of(path) != "memory"
    ]
    assert not wrong, wrong


def test_heavy_libraries_are_imported_late() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {module}"
        for path in python_files("python/remanence")
        if not path.relative_to(PACKAGE).as_posix().startswith(LAZY_PLACES)
        for module, at_load, line in imports(path)
        if at_load and module.split(".")[0] in HEAVY
    ]
    assert not wrong, wrong


def test_package_never_imports_its_tests_or_benchmarks() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {module}"
        for path in python_files("python/remanence")
        for module, _, line in imports(path)
        if module.split(".")[0] in {"tests", "benchmarks"}
    ]
    assert not wrong, wrong


def test_library_does_not_print() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("python/remanence")
        if room_of(path) != "cli"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not wrong, wrong


# --- C++ ---------------------------------------------------------------------------------------

# What a folder of cpp/ must not include.
FORBIDDEN = {
    "include": ("core/", "cpu/", "cuda/", "bindings/", "src/", ".."),
    "src/core": ("cuda/", "bindings/", ".."),
    "src/cpu": ("cuda/", "bindings/", ".."),
    "src/cuda": ("cpu/", "bindings/", ".."),
    "src/bindings": ("cuda/", ".."),
}
_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)
_CUDA_NAME = re.compile(r"cuda_runtime|cudaStream_t|cudaError_t|<<<")
_FEATURE_IF = re.compile(r"#\s*(?:el)?if.*REMANENCE_(?:WITH|HAS|USE|CUDA|GPU)")


def test_cpp_folders_include_in_one_direction() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} includes {name}"
        for folder, forbidden in FORBIDDEN.items()
        for path in cpp_files(CPP / folder)
        for name in _INCLUDE.findall(path.read_text(encoding="utf-8"))
        if name.startswith(forbidden)
    ]
    assert not wrong, wrong
    assert cpp_files(CPP / "include"), "no public headers found"


def test_public_headers_name_no_device_and_no_feature() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in cpp_files(CPP)
        if "src/cuda" not in path.as_posix() and path.suffix == ".hpp"
        for text in [path.read_text(encoding="utf-8")]
        if _CUDA_NAME.search(text)
        or (path.is_relative_to(CPP / "include") and _FEATURE_IF.search(text))
    ]
    assert not wrong, wrong


def test_umbrella_header_includes_every_public_header() -> None:
    folder = CPP / "include" / "remanence"
    named = set(_INCLUDE.findall((folder / "remanence.hpp").read_text(encoding="utf-8")))
    for name in list(named):
        header = CPP / "include" / name
        if header.exists():
            named.update(_INCLUDE.findall(header.read_text(encoding="utf-8")))
    # canonical.hpp is arithmetic for kernels; embedders never need it.
    public = {f"remanence/{path.name}" for path in folder.glob("*.hpp")}
    assert public - named <= {"remanence/remanence.hpp", "remanence/canonical.hpp"}


# --- Every file --------------------------------------------------------------------------------


def sources() -> list[Path]:
    python = [path for path in python_files("python", "tests") if path.stem != "_core"]
    rest = [p for name in ("benchmarks", "examples") for p in sorted((ROOT / name).rglob("*.py"))]
    return python + rest + cpp_files() + cpp_files(ROOT / "tests") + cpp_files(ROOT / "examples")


def test_files_and_lines_are_short() -> None:
    wrong = []
    for path in sources():
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_LINES:
            wrong.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
        wrong += [
            f"{path.relative_to(ROOT)}:{number}: {len(line)} columns"
            for number, line in enumerate(lines, 1)
            if len(line) > MAX_COLUMNS
        ]
    assert not wrong, wrong


def test_functions_are_short() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"
        for path in sources()
        if path.suffix == ".py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION
    ]
    assert not wrong, wrong


def test_first_line_says_the_purpose() -> None:
    wrong = []
    for path in sources():
        lines = path.read_text(encoding="utf-8").splitlines()
        first = next((line for line in lines if not line.startswith("#!")), "")
        mark = '"""' if path.suffix == ".py" else "// "
        if not first.startswith(mark) or len(first.split()) < 4:
            wrong.append(f"{path.relative_to(ROOT)}: {first!r}")
    assert not wrong, wrong


# The folders that a machine owns; a tracked file that names one works only there.
_MACHINE = re.compile(r"(?<![\w.$}])/(?:" + "|".join(["work", "tmp", "root", "home"]) + r")/\w")


def test_no_machine_paths() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*sources(), *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _MACHINE.search(line)
    ]
    assert not wrong, wrong


_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


def test_links_in_the_docs_lead_somewhere() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
    ]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken, broken
    assert (ROOT / "README.md") in pages


def test_house_map_names_what_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.split("## The house", 1)[1].split("```")[1]
    named = re.findall(r"^([\w./-]+)(?=\s)", block, re.MULTILINE)
    assert len(named) > 8
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, missing


def stubs(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.pyi"))
    }


@pytest.mark.native
def test_stubs_of_the_core_are_fresh(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pybind11_stubgen", "remanence._core", "-o", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    made = stubs(tmp_path / "remanence")
    assert made
    assert made == stubs(PACKAGE), "copy the output of pybind11-stubgen into python/remanence"
