"""Lists or deletes stopped pods that are older than so many hours: `old_pods.py HOURS [--delete]`."""

from __future__ import annotations

import sys

from runpod_deploy import StalePod, bulk_delete_pods, list_stale_pods


def main() -> int:
    """Returns 9 if a pod may still cost money."""
    least_hours = float(sys.argv[1])
    old = [pod for pod in list_stale_pods() if is_old(pod, least_hours)]
    for pod in old:
        print(f"{pod.pod_id} {pod.name} {pod.volume_in_gb} GB ${pod.estimated_daily_cost_usd:.2f}/day")
    deleted = bulk_delete_pods([pod.pod_id for pod in old], dry_run="--delete" not in sys.argv)
    for pod_id, gone, words in deleted:
        print(f"{pod_id}: {words}")
        if not gone:
            print(f"{pod_id} MAY STILL BE BILLING", file=sys.stderr)
    return 0 if all(gone for _, gone, _ in deleted) else 9


def is_old(pod: StalePod, least_hours: float) -> bool:
    """Whether the pod has a known age of at least so many hours."""
    return pod.age_hours is not None and pod.age_hours >= least_hours


if __name__ == "__main__":
    sys.exit(main())
