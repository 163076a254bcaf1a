"""The installed program as a process, in an environment of the test's own. Knows its path; knows no command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("runpod-deploy")
ENDS_WITHIN_S = 300


@dataclass(frozen=True)
class Ended:
    """How a call of the program ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """All of stdout as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Program:
    """The program for one user: a home, a working directory, and nothing else of ours in the environment."""

    home: Path
    cwd: Path
    environ: Mapping[str, str]

    def __call__(self, *args: str, stdin: str = "", **more: str) -> Ended:
        """The call has ended; no traceback was printed."""
        env = self._environment(more)
        done = subprocess.run(
            [str(PROGRAM), *args],
            cwd=self.cwd,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=ENDS_WITHIN_S,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """The call runs on, and nobody reads what it says."""
        quiet = subprocess.DEVNULL
        env = self._environment({})
        return subprocess.Popen([str(PROGRAM), *args], cwd=self.cwd, env=env, stdin=quiet, stdout=quiet, stderr=quiet)

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        self.home.mkdir(parents=True, exist_ok=True)
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **self.environ, **more}
