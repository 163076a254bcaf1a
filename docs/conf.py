"""The configuration of the site. The reference pages are made from the code first, so they cannot be out of date."""

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
html_show_copyright = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["generate"]
myst_heading_anchors = 4
nitpicky = True
smartquotes_action = "qe"  # quotes and ellipses, but no dashes: `--wait` is what people type
# The copy button of a console block copies the commands, without the prompt and without the output.
copybutton_prompt_text = "$ "
