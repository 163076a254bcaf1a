"""Commands as hints name them, ready to paste into a shell. Knows paths and quoting; knows no run's state."""

from __future__ import annotations

from pathlib import Path
from shlex import quote


def seen_from_here(path: Path) -> str:
    """The path, relative if it is below the current folder."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was removed while the run went on
        return str(path)
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def about(words: str, run_dir: Path) -> str:
    """The command about the run: `about("logs", …)` is `runpod-deploy logs artifacts/runpod/…`."""
    return f"runpod-deploy {words} {quote(seen_from_here(run_dir))}"
