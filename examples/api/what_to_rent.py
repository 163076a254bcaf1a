"""Lists the GPUs of a config that are in stock, with prices: `what_to_rent.py CONFIG`. Exits 3 if none is."""

from __future__ import annotations

import sys

from runpod_deploy import build_job_context, fetch_gpu_prices, load_job_spec, report_gpu_inventory, select_price_for_pod


def main() -> int:
    """Returns 0 if at least one of the GPUs is in stock."""
    config = sys.argv[1]
    context = build_job_context(load_job_spec(config), config)
    report = report_gpu_inventory(context)
    prices = fetch_gpu_prices()
    for place in report.datacenters:
        for gpu in (*place.configured_available, *place.configured_low_stock):
            price = select_price_for_pod(prices, gpu_id=gpu, cloud_type=context.spec.pod.cloud_type)
            print(f"{place.datacenter_id:<10} {gpu:<24} " + ("price unknown" if price is None else f"${price:.2f}/hr"))
    return 0 if report.any_stocked else 3


if __name__ == "__main__":
    sys.exit(main())
