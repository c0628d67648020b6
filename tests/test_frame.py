"""The rules of the house that no other checker enforces."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "workbench"

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60

MODULES = sorted(PACKAGE.rglob("*.py"))
#: Folders that hold what people write, not what tools make.
WRITTEN = ["workbench", "kernels", "resources", "tests", "docs", "benchmarks", ".ci"]

#: Marks of work left open, and paths that exist on one machine only.
UNWANTED = re.compile(
    r"\b(?:TODO|FIXME|XXX|HACK)\b|(?<![\w.~}])/(?:home|root|Users|work|mnt)/\w|\b[A-Z]:\\\w"
)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the length of a function without its docstring, which may be as long as it needs."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_modules_are_one_idea_each() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert len(lengths) > 20
    assert {str(p): n for p, n in lengths.items() if n > MAX_MODULE_LINES} == {}


def test_functions_are_one_screen_at_most() -> None:
    long = {
        f"{path.relative_to(ROOT)}: {function.name}": lines
        for path in MODULES
        for function in functions(parsed(path))
        if (lines := code_lines(function)) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_no_function_hides_an_import_of_ours() -> None:
    hidden = [
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in MODULES
        for function in functions(parsed(path))
        for node in ast.walk(function)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("workbench"))
        or (
            isinstance(node, ast.Import) and any(a.name.startswith("workbench") for a in node.names)
        )
    ]
    assert hidden == []


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path) for path in MODULES if not ast.get_docstring(parsed(path))] == []


def test_the_engine_as_a_package_imports_nothing() -> None:
    tree = parsed(PACKAGE / "engine" / "__init__.py")
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]


def test_qt_is_forbidden_to_every_package_but_the_window() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (qt,) = [c for c in contracts if "PySide6" in c.get("forbidden_modules", ())]
    present = {
        p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    # The entry chooses between window and command line; the window is what Qt is for.
    assert {f"workbench.{name}" for name in present - {"__init__", "__main__", "gui"}} == set(
        qt["source_modules"]
    )
    assert not qt.get("allow_indirect_imports", False)


def texts() -> Iterator[tuple[Path, str]]:
    folders = [path for name in WRITTEN for path in (ROOT / name).rglob("*")]
    for path in [*ROOT.glob("*.md"), ROOT / "pyproject.toml", *folders]:
        # Another process may be writing what it has compiled.
        if "__pycache__" in path.parts or path.suffix in (".h5", ".png") or not path.is_file():
            continue
        if path != Path(__file__):
            yield path, path.read_text(encoding="utf-8")


def test_nothing_is_left_open_and_no_machine_is_named() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path, text in texts()
        for match in UNWANTED.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda p: p.name
)
def test_links_in_the_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_a_checkout_uses_its_own_kernels_and_not_the_copy_of_its_installation(
    tmp_path: Path,
) -> None:
    # What an editable install leaves behind: a path to the checkout, and a copy that goes stale.
    checkout, installed = tmp_path / "checkout", tmp_path / "installed"
    for name in ("workbench", "kernels", "resources"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "kernels", installed / "workbench" / "_kernels")
    name = sorted(path.name for path in (checkout / "kernels").glob("*.cl"))[0]

    def seen() -> str:
        code = (
            f"import sys; sys.path[:0] = [{str(installed)!r}, {str(checkout)!r}]; import workbench;"
            "from workbench.core.resources import kernel_text;"
            f"assert workbench.__file__.startswith({str(checkout)!r}), workbench.__file__;"
            f"print(kernel_text({name!r}), end='')"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, check=True, cwd=tmp_path
        )
        return done.stdout.decode()

    original = (ROOT / "kernels" / name).read_text(encoding="utf-8")
    assert seen() == original
    (checkout / "kernels" / name).write_text(original + "// edited\n", encoding="utf-8")
    assert seen() == original + "// edited\n"
