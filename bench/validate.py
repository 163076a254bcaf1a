"""The time that `validate` takes, compared with a bare interpreter in the same run.

    .venv/bin/python bench/validate.py [--repeat 15]

The two are started in turn, so that both run under the same conditions. The shortest time counts. Exit 1 if validate
takes longer than 0.35 s (in proportion more if `python -c pass` takes longer than 0.03 s), or if reading a config
imports modules that only other commands need.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONFIGS = sorted((ROOT / "tests" / "unit" / "config" / "user_configs").glob("*.yaml"))
TOOL = str(Path(sys.executable).with_name("runpod-deploy"))
LIMIT_S = 0.35
BARE_S = 0.03
UNWANTED = ("urllib3", "rich", "asyncssh", "runpod_deploy.cloud.runpod")


def main() -> int:
    """The exit status: 0 if both limits hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15)
    repeat = parser.parse_args().repeat
    config = max(CONFIGS, key=lambda path: path.stat().st_size)
    bare, validate = shortest([sys.executable, "-c", "pass"], [TOOL, "validate", "-q", "--config", str(config)], repeat)
    limit = LIMIT_S * max(1.0, bare / BARE_S)
    print(f"python -c pass   {bare:.3f} s")
    print(f"validate         {validate:.3f} s   (at most {limit:.2f} s)")
    imported = unwanted_imports(config)
    print(f"unwanted imports: {', '.join(imported) or 'none'}")
    return 0 if validate <= limit and not imported else 1


def shortest(first: Sequence[str], second: Sequence[str], repeat: int) -> tuple[float, float]:
    """The shortest time of each command, in seconds."""
    times = [(timed(first), timed(second)) for _ in range(repeat)]
    return min(one for one, _ in times), min(two for _, two in times)


def timed(argv: Sequence[str]) -> float:
    """The seconds that a command takes. Raises CalledProcessError if it fails."""
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return time.perf_counter() - started


def unwanted_imports(config: Path) -> list[str]:
    """The modules that loading a config imports and should not."""
    code = (
        "import sys; from pathlib import Path; from runpod_deploy.config import load; load(Path(sys.argv[1])); "
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(config)], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    return [name for name in UNWANTED if name in loaded]


if __name__ == "__main__":
    sys.exit(main())
