"""`runpod_deploy.preflight` of the earlier tool."""

from runpod_deploy.api import DatacenterInventory, InventoryReport, report_gpu_inventory
from runpod_deploy.api.compat.modules import moved
from runpod_deploy.api.compat.scanning import (
    check_gpu_availability,
    check_image_registry,
    fetch_datacenter_payload,
    scan_consumer_pyproject,
    scan_staged_payloads_for_absolute_paths,
)

__all__ = [
    "DatacenterInventory",
    "InventoryReport",
    "check_gpu_availability",
    "check_image_registry",
    "fetch_datacenter_payload",
    "report_gpu_inventory",
    "scan_consumer_pyproject",
    "scan_staged_payloads_for_absolute_paths",
]

moved("runpod_deploy.preflight")
