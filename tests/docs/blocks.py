"""The code blocks of a Markdown page. Knows fences; knows nothing about the meaning of the blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.workshop import REPOSITORY

FENCE = re.compile(r"^```(?P<language>[a-z]+)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    *sorted((REPOSITORY / "examples").rglob("*.md")),
]


@dataclass(frozen=True)
class Block:
    """One fenced block, and the line of its page on which it begins."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a console block with the output that the page shows."""

    place: str
    text: str
    expected: tuple[str, ...]


def blocks(language: str, *, pages: list[Path] = PAGES) -> Iterator[Block]:
    """All blocks in one language."""
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            if found["language"] == language:
                yield Block(page, text[: found.start()].count("\n") + 2, found["text"])


def commands(page: Path) -> list[Command]:
    """The commands of all console blocks of a page, in order."""
    return [command for block in blocks("console", pages=[page]) for command in in_block(block)]


def in_block(block: Block) -> Iterator[Command]:
    """The commands of a block: each begins with `$ `, and the lines up to the next one are its output."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines()
        yield Command(f"{block}: {first}", first, tuple(rest))
