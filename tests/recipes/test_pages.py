"""Every recipe has a page with its use, its limits, what to change and what it costs, and the page shows its files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workshop import REPOSITORY

RECIPES = REPOSITORY / "recipes"
PAGES = [page for page in sorted((REPOSITORY / "docs/recipes").glob("*.md")) if page.stem != "index"]
FILES = [
    path
    for path in sorted(RECIPES.rglob("*"))
    if path.suffix in (".py", ".sh", ".yaml", ".yml") or path.name in ("Makefile", "crontab", "runpod-env")
]
INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)
LINKED = re.compile(r"\]\((\.\./\.\./recipes/[^)]+)\)")


def included(pages: list[Path]) -> set[Path]:
    """The files that the pages show."""
    return {(page.parent / name).resolve() for page in pages for name in INCLUDED.findall(page.read_text())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_its_recipe_is_for_and_what_it_costs(page: Path) -> None:
    rows = re.findall(r"^\| (For|Not for|Change|Costs) \| \S.* \|$", page.read_text(), re.MULTILINE)
    assert rows == ["For", "Not for", "Change", "Costs"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_can_be_saved_as_a_file(page: Path) -> None:
    linked = {(page.parent / name).resolve() for name in LINKED.findall(page.read_text())}
    assert {path for path in included([page]) if path.parent.name != "pitfalls"} <= linked


def test_each_file_is_on_a_page() -> None:
    shown = included([*PAGES, REPOSITORY / "docs/simulator.md"])
    ours = {path for path in FILES if path.parent.name != "pitfalls" or path.stem.endswith("-broken")}
    assert ours - shown == set()


def test_each_page_is_in_the_overview_and_in_the_menu() -> None:
    overview = (REPOSITORY / "docs/recipes/index.md").read_text()
    menu = (REPOSITORY / "docs/index.md").read_text()
    assert [page.stem for page in PAGES if f"]({page.name})" not in overview] == []
    assert [page.stem for page in PAGES if f"recipes/{page.stem}\n" not in menu] == []


@pytest.mark.parametrize(
    ("capability", "flash_attn", "backend"),
    [
        ((7, 0), "", "sdpa"),
        ((8, 6), None, "sdpa"),
        ((8, 6), "raise ImportError('built for another CUDA')", "sdpa"),
        ((9, 0), "", "flash_attention_2"),
    ],
)
def test_attention_on_each_kind_of_gpu(
    tmp_path: Path, capability: tuple[int, int], flash_attn: str | None, backend: str
) -> None:
    """A fake torch that only reports a GPU."""
    (tmp_path / "torch.py").write_text(
        "class cuda:\n"
        "    is_available = staticmethod(lambda: True)\n"
        f"    get_device_capability = staticmethod(lambda: {capability})\n"
        "    get_device_name = staticmethod(lambda: 'a GPU')\n"
    )
    if flash_attn is not None:
        (tmp_path / "flash_attn.py").write_text(flash_attn)
    command = [sys.executable, str(RECIPES / "flash-attention/attention.py")]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    event, chosen = done.stdout.splitlines()
    assert json.loads(event.removeprefix("__RUNPOD_EVENT__ "))["backend"] == backend
    assert chosen == f"attn_implementation={backend}"
