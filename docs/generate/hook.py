"""Puts the pages that are made from the code into the site. Knows MkDocs; the pages know nothing of it."""

from __future__ import annotations

import commands_page
import config_page
import events_page
import exit_codes_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES = {
    "reference/config.md": config_page.page,
    "reference/commands.md": commands_page.page,
    "reference/exit-codes.md": exit_codes_page.page,
    "reference/events.md": events_page.page,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """All pages, with those that no file holds."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files
