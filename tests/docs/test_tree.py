"""The tree in ARCHITECTURE.md names every folder and every module of the product, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.workshop import REPOSITORY

PRODUCT = REPOSITORY / "src" / "runpod_deploy"


def drawn() -> set[str]:
    """The modules in the drawing, each with its folder."""
    page = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawing = page.partition("```text\nsrc/runpod_deploy/")[2].partition("\n\nsrc/runpod_sim/")[0]
    found, folder = set(), ""
    for line in drawing.splitlines()[1:]:
        heading = re.match(r"  ([\w/]+)/ ", line)
        if heading:
            folder = heading[1] + "/"
            found.add(folder)
        else:
            found |= {folder + name for name in line.split()}
    return found


def present() -> set[str]:
    """The modules and folders of the product."""
    paths = [path for path in PRODUCT.rglob("*.py") if path.stem != "__main__" and path != PRODUCT / "__init__.py"]
    return {name_of(path.relative_to(PRODUCT)) for path in paths}


def name_of(path: Path) -> str:
    """`record/fold` for a module, `record/` for the folder that an __init__.py makes."""
    return f"{path.parent}/" if path.stem == "__init__" else str(path.with_suffix(""))


def test_the_tree_is_that_of_the_code() -> None:
    assert (sorted(drawn() - present()), sorted(present() - drawn())) == ([], [])
