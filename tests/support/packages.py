"""Whether packages can be installed here, for tests of what people install."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

OFFLINE = "no package can be installed here (no registry within reach?)"
ASK_S = 60


@functools.cache
def reached() -> bool:
    """Whether pip gets a small package, past everything that it has kept."""
    with tempfile.TemporaryDirectory() as folder:
        words: Sequence[str] = ("download", "--quiet", "--no-deps", "--no-cache-dir", "--dest", folder, "iniconfig")
        try:
            subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True, timeout=ASK_S)
        except (subprocess.SubprocessError, OSError):
            return False
        return any(Path(folder).iterdir())


def need_packages() -> None:
    """Packages can be installed; else the test is skipped."""
    if not reached():
        pytest.skip(OFFLINE)
