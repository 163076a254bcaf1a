"""The demo, which a newcomer runs first, succeeds, shows its figures, and leaves no pod."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.workshop import open_workshop


def test_demo(tmp_path: Path) -> None:
    done = open_workshop(tmp_path).run(sys.executable, "examples/demo.py")
    assert done.returncode == 0, done.stdout
    accuracy = re.search(r"accuracy +(0\.\d+) on 449 images held out", done.stdout)
    assert accuracy, done.stdout
    assert float(accuracy[1]) >= 0.93
    assert re.search(r"outcome +succeeded", done.stdout)
    assert re.search(r"pods_created +1\n +pods_left +0\n", done.stdout)


def test_a_run_that_fails_is_a_demo_that_fails(tmp_path: Path) -> None:
    workshop = open_workshop(tmp_path)
    config = workshop.dir / "examples/digits/digits.yaml"
    config.write_text(config.read_text().replace("digits.csv.gz]", "not-there.csv.gz]"))
    done = workshop.run(sys.executable, "examples/demo.py")
    assert done.returncode == 2, done.stdout
    assert "exit code 2" in done.stdout
