"""Runs one job with several seeds in parallel: `sweep.py CONFIG WORKERS SEED...`. A failed seed stops no other seed.

Each run has its own process, because a run handles signals. Ctrl-C ends all of them, and each releases its pod.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from runpod_deploy import RunFailed, RunResult, load_job_spec, run_job


def main() -> int:
    """Returns 1 if a seed failed."""
    config, workers, *seeds = sys.argv[1:]
    with ProcessPoolExecutor(int(workers)) as pool:
        running = {pool.submit(one, Path(config), seed): seed for seed in seeds}
        results = {running[done]: done.result() for done in as_completed(running)}
    for seed in seeds:
        result = results[seed]
        print(f"seed={seed} {result.outcome} exit={result.exit_code} {result.run_dir}")
    return 1 if any(result.exit_code for result in results.values()) else 0


def one(config: Path, seed: str) -> RunResult:
    """The result of the run of this seed, also if it failed."""
    try:
        return run_job(load_job_spec(config), config_path=config, cli_variables={"seed": seed})
    except RunFailed as failed:
        return failed.result


if __name__ == "__main__":
    sys.exit(main())
