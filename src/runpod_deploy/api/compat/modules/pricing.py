"""`runpod_deploy.pricing` of the earlier tool."""

from runpod_deploy.api import (
    VOLUME_STORAGE_USD_PER_GB_MONTH,
    GpuPrice,
    estimate_volume_storage_cost_usd_per_day,
    fetch_gpu_prices,
    select_price_for_pod,
)
from runpod_deploy.api.compat.modules import moved

__all__ = [
    "VOLUME_STORAGE_USD_PER_GB_MONTH",
    "GpuPrice",
    "estimate_volume_storage_cost_usd_per_day",
    "fetch_gpu_prices",
    "select_price_for_pod",
]

moved("runpod_deploy.pricing")
