"""How the site is built. The reference pages are made from the code first, so that they cannot lag behind it."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "generate"))

import pages  # noqa: E402 - found through the line above

pages.write(HERE / "reference")

project = "runpod-deploy"
html_title = "runpod-deploy"
html_theme = "furo"
html_show_sphinx = False
html_copy_source = False
extensions = ["myst_parser"]
exclude_patterns = ["generate"]
myst_heading_anchors = 4
nitpicky = True
