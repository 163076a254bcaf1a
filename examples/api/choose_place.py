"""Chooses a GPU and a datacenter in stock: `choose_place.py CONFIG USD_PER_HOUR < PLACES`.

PLACES is the output of `runpodctl datacenter list -o json`.
"""

from __future__ import annotations

import json
import sys

from runpod_deploy import fetch_gpu_prices, load_job_spec, select_gpu_across_datacenters


def main() -> int:
    """Returns 3 if no GPU is in stock for that price."""
    pod = load_job_spec(sys.argv[1]).pod
    try:
        gpu, datacenter = select_gpu_across_datacenters(
            json.load(sys.stdin),
            datacenters=pod.datacenters,
            gpu_order=pod.gpu_order,
            on_failover=passed_over,
            prices=fetch_gpu_prices(),
            max_gpu_price_usd=float(sys.argv[2]),
        )
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 3
    print(f"--gpu-id '{gpu}' --datacenter-id {datacenter}")
    return 0


def passed_over(datacenter: str, following: str | None, reason: str) -> None:
    """Prints why a datacenter was skipped."""
    print(f"{datacenter}: {reason}" + (f"; next {following}" if following else ""), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
