"""Rules of this project that no linter checks. Each test walks over the syntax trees of src/."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import runpod_deploy
from tests.support.workshop import REPOSITORY

SOURCES = REPOSITORY / "src"
PRODUCT, SIMULATOR = SOURCES / "runpod_deploy", SOURCES / "runpod_sim"
MODULES = sorted(SOURCES.rglob("*.py"))
VAGUE = {"utils", "helpers", "common", "manager", "handler", "service", "base", "misc", "tools"}
HEAVY = ("pydantic", "yaml", "rich", "asyncssh", "aiohttp", "jsonschema")
LONGEST = 300


MOST_LOOSE = {PRODUCT: 8, SIMULATOR: 6}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def inside(path: Path, *places: str) -> bool:
    """Whether the module is one of these files of the product, or lies in one of these folders."""
    return any(path == PRODUCT / place or (PRODUCT / place) in path.parents for place in places)


def product(*without: str) -> list[Path]:
    """The product's modules, without these files and folders."""
    return [path for path in MODULES if PRODUCT in path.parents and not inside(path, *without)]


def name_of(node: ast.expr) -> str:
    """The dotted name of an expression such as `time.sleep`; empty for an expression of another kind."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{name_of(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def uses(module: ast.Module) -> Iterator[str]:
    """Every dotted name in the module, and every import, such as `import json`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute | ast.Name):
            yield name_of(node)
        elif isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield f"import {node.module}"
            yield from (f"import {node.module}.{alias.name}" for alias in node.names)


WRITING = (
    *("print", "click.echo", "click.secho", "import click.echo", "import click.secho", "import sys.stdout"),
    *("sys.stdout.write", "sys.stdout.buffer", "sys.stderr.write", "sys.stderr.buffer", "import sys.stderr"),
    *("sys.__stdout__", "sys.__stderr__"),
)
RULES = [
    pytest.param(
        ("import subprocess", "os.system", "os.popen"),
        ("machine/proc.py", "machine/left_behind.py"),
        id="only proc.py and left_behind.py start processes",
    ),
    pytest.param(
        ("time.sleep", "time.time", "datetime.now", "datetime.utcnow", "import time.sleep", "import time.time"),
        ("machine/clock.py",),
        id="only clock.py sleeps and tells the time of day",
    ),
    pytest.param(WRITING, ("terminal/output.py",), id="only terminal/output.py writes to stdout and stderr"),
    pytest.param(
        ("os.environ", "os.getenv", "import os.environ", "import os.getenv"),
        ("cli", "config", "machine/environment.py", "terminal/output.py"),
        id="only cli/, config/, environment.py and output.py read the environment",
    ),
    pytest.param(("import runpod_sim",), (), id="the product knows no simulator"),
    pytest.param(
        ("import asyncio", "import threading"),
        ("api", "machine/signals.py", "machine/background.py"),
        id="one thread of control",
    ),
]


@pytest.mark.parametrize(("names", "places"), RULES)
def test_only_some_modules_may_do_this(names: tuple[str, ...], places: tuple[str, ...]) -> None:
    found = [
        f"{path.relative_to(SOURCES)}: {used}"
        for path in product(*places)
        for used in uses(tree(path))
        if used in names
    ]
    assert found == []


def test_the_rules_see_what_they_forbid() -> None:
    seen = {used for path in MODULES for used in uses(tree(path))}
    assert {"import subprocess", "import threading", "datetime.now", "os.environ", "sys.stdout.write"} <= seen


@pytest.mark.parametrize(
    "line",
    [
        "print('x')",
        "sys.stdout.write('x')",
        "sys.stderr.write('x')",
        "sys.stdout.buffer.write(b'x')",
        "click.echo('x', err=True)",
        "from click import echo",
        "from sys import stdout",
    ],
)
def test_the_rule_on_printing_sees_every_way_to_print(line: str) -> None:
    assert set(uses(ast.parse(line))) & set(WRITING)


@pytest.mark.parametrize("package", MOST_LOOSE, ids=lambda path: path.name)
def test_few_modules_lie_at_the_top_of_a_package(package: Path) -> None:
    loose = [path.name for path in package.glob("*.py")]
    assert len(loose) <= MOST_LOOSE[package], f"every other module has its folder: {sorted(loose)}"


def test_no_import_hides_in_a_function() -> None:
    """It would hide a cycle. It is allowed in cli/, where a heavy library is loaded only if it is needed."""
    hidden = [
        f"{path.relative_to(SOURCES)}:{node.lineno}"
        for path in product("cli")
        for outer in ast.walk(tree(path))
        if isinstance(outer, ast.FunctionDef)
        for node in ast.walk(outer)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not hidden


def test_every_module_is_short_and_has_a_docstring() -> None:
    long = [path.name for path in MODULES if path.read_text(encoding="utf-8").count("\n") > LONGEST]
    silent = [path.name for path in MODULES if path.stat().st_size and not ast.get_docstring(tree(path))]
    assert (long, silent) == ([], [])


def test_no_module_has_a_vague_name() -> None:
    assert [path for path in MODULES if set(path.relative_to(SOURCES).with_suffix("").parts) & VAGUE] == []


def test_every_public_function_has_a_docstring() -> None:
    silent = [
        f"{path.relative_to(SOURCES)}:{node.lineno} {node.name}"
        for path in product()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not nested(path, node)
    ]
    assert not silent


def nested(path: Path, wanted: ast.AST) -> bool:
    """Whether the definition is within a function, whose docstring then explains it."""
    outer = (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(wanted is not node and wanted in ast.walk(node) for node in outer)


@pytest.mark.parametrize("module", ["runpod_deploy.cli.resume", "runpod_deploy.cli.carrying", "runpod_deploy.live"])
def test_the_process_that_watches_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_the_version_is_written_once() -> None:
    version = runpod_deploy.__version__
    pages = [REPOSITORY / "pyproject.toml", *MODULES]
    assert [path.name for path in pages if f'"{version}"' in path.read_text(encoding="utf-8")] == ["__init__.py"]


def test_the_python_api_needs_no_command_line() -> None:
    code = (
        "import sys, runpod_deploy.api; print([n for n in sys.modules if n.startswith(('click', 'runpod_deploy.cli'))])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


NO_MONEY = ("comparison.py", "markup.py", "timedelta")


def test_money_is_rounded_in_one_place() -> None:
    """`:.2f` makes $0.49 of 0.495; `money.cents` makes $0.50 of it, in every table, line and message."""
    lines = [f"{path.name}: {line.strip()}" for path in product("money.py") for line in path.read_text().splitlines()]
    assert [line for line in lines if ":.2f}" in line and not any(word in line for word in NO_MONEY)] == []


def test_the_simulator_does_not_name_the_product() -> None:
    naming = [path.name for path in SIMULATOR.rglob("*.py") if "runpod_deploy" in path.read_text(encoding="utf-8")]
    assert naming == []
