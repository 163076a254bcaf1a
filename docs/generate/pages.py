"""The reference pages, and the module that makes each. Knows files; the modules know none."""

from __future__ import annotations

from pathlib import Path

import api_page
import commands_page
import config_page
import events_page
import exit_codes_page

PAGES = {
    "config.md": config_page.page,
    "commands.md": commands_page.page,
    "events.md": events_page.page,
    "exit-codes.md": exit_codes_page.page,
    "python-api.md": api_page.page,
}


def write(folder: Path) -> None:
    """Every page is in the folder. A page that is up to date is not written again, so that a second build is quick."""
    for name, page in PAGES.items():
        path, text = folder / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
