"""The blocks of the sweep page work when they are copied into files in an empty folder."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.workshop import Workshop

# How each block begins, the name that the page gives it, and the command that the page shows for it.
FILES = {"job.yaml": "# One seed of a sweep", "ledger.py": '#!/usr/bin/env python3\n"""The ledger of a sweep'}
SCRIPTS = {
    "bash": ("#!/usr/bin/env bash\n# Runs one config for many seeds", "parallel.sh", "bash parallel.sh job.yaml 1 2"),
    "python": ('#!/usr/bin/env python3\n"""Runs one config', "sweep.py", "python3 sweep.py job.yaml 1"),
    "make": ("# A sweep as make targets", "Makefile", "make sweep SEEDS=1"),
    "sequential": ("#!/usr/bin/env bash\n# Runs several configs", "sequential.sh", "bash sequential.sh job.yaml"),
}


class Blocks(HTMLParser):
    """The text of every block of code on a page, as a reader would copy it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data

    def one(self, beginning: str) -> str:
        """The one block that begins so."""
        [text] = [text for text in self.texts if text.startswith(beginning)]
        return text


@pytest.mark.parametrize("language", SCRIPTS)
def test_what_is_copied_from_the_sweep_page_works(site: Path, tmp_path: Path, language: str) -> None:
    blocks = Blocks(site / "recipes" / "sweep.html")
    beginning, name, command = SCRIPTS[language]
    (tmp_path / "home").mkdir()
    folder = tmp_path / "empty folder"
    folder.mkdir()
    for file, first_words in {**FILES, name: beginning}.items():
        (folder / file).write_text(blocks.one(first_words))
    rehearsal = Workshop(folder, tmp_path / "home").rehearse("bash", "-c", command)
    assert rehearsal.exit_code == 0, rehearsal.output
    assert rehearsal.ledger["pods_created"] == len(list(folder.glob("artifacts/runpod/*/pi.txt"))) > 0
    assert rehearsal.ledger["pods_left"] == 0
