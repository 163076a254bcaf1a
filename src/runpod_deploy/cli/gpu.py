"""gpu-list, gpu-inventory and gpu-prices: GPUs with their stock and their prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from ..cloud.gpu_order import order_of
from ..cloud.runpod import RunPodCloud
from ..cloud.runpod.catalogue import ANYWHERE
from ..cloud.stock import (
    InventoryReport,
    by_stock,
    cheapest_first,
    inventory,
    inventory_lines,
    offer_lines,
    price_lines,
    price_text,
    stock_text,
)
from ..cloud.values import Offer
from ..config import load, parse_variables
from ..errors import FAILURE_KINDS, CloudUnreachable, ConfigError, UsageError
from ..spec.spelling import closest
from ..terminal.output import print_err, print_json, print_lines
from .access import real_cloud
from .completion import datacenters
from .options import config_option, json_option, output_options, variable_options
from .tables import print_table

Function = TypeVar("Function", bound=Callable[..., Any])
CLOUDS = click.Choice(["SECURE", "COMMUNITY"], case_sensitive=False)


def cloud_options(function: Function) -> Function:
    """Adds `--cloud-type`, and `--spot`, which older scripts may still pass."""
    cloud = click.option(
        "--cloud-type",
        type=CLOUDS,
        default="SECURE",
        show_default=True,
        help="RunPod's own datacenters, or other hosts.",
    )
    spot = click.option("--spot", is_flag=True, help="An error: RunPod no longer sells spot pods.")
    return cloud(spot(function))


@click.command("gpu-list")
@click.option(
    *("--datacenter", "datacenter_id"),
    required=True,
    metavar="ID",
    shell_complete=datacenters,
    help="A datacenter such as EU-RO-1.",
)
@cloud_options
@click.option("--no-prices", is_flag=True, help="Print stock only.")
@json_option
@output_options
def gpu_list(datacenter_id: str, cloud_type: str, spot: bool, no_prices: bool, as_json: bool) -> None:
    """List the GPUs of a datacenter, those with most stock first."""
    refuse_spot(spot)
    cloud = real_cloud()
    here = [o for o in cloud.catalogue(cloud_type, gpu_count=1) if o.datacenter_id == datacenter_id]
    if not here:
        check_datacenter(cloud, datacenter_id)
    offers = by_stock(replace(o, usd_per_gpu_hour=None) if no_prices else o for o in here)
    if as_json:
        print_json([as_row(offer) for offer in offers])
        return
    print_lines([f"datacenter: {datacenter_id}"])
    label = cloud_type.lower()
    cells = ((o.gpu_id, memory_text(o), stock_text(o.stock), price_text(o.usd_per_gpu_hour)) for o in offers)
    print_table(offer_lines(offers, label), ("gpu", "GB", "stock", f"$/hr ({label})"), cells)


@click.command("gpu-inventory")
@config_option
@variable_options
@json_option
@output_options
def gpu_inventory(config: Path, var: tuple[str, ...], vars_file: Path | None, as_json: bool) -> int:
    """Check whether the GPUs of a config are in stock in its datacenters. Exit 3 if none is in any of them."""
    pod = load(config, cli_variables=parse_variables(var, vars_file)).job.pod
    offers = real_cloud().catalogue(
        pod.cloud_type, gpu_count=pod.gpu_count, cpu=pod.cpu is not None, vcpu_count=pod.min_vcpu_count or 2
    )
    report = inventory(order_of(pod, offers).ids, pod.datacenters, offers)
    if as_json:
        print_json({**asdict(report), "any_stocked": report.any_stocked})
    else:
        print_lines(inventory_lines(report))
    return 0 if report.any_stocked else stocked_out(report)


@click.command("gpu-prices")
@cloud_options
@click.option(
    "--no-price-cache",
    is_flag=True,
    help="Accepted for older scripts; changes nothing, because prices are always fresh.",
)
@json_option
@output_options
def gpu_prices(cloud_type: str, spot: bool, no_price_cache: bool, as_json: bool) -> None:  # noqa: ARG001
    """List what each GPU costs per hour, the cheapest first."""
    refuse_spot(spot)
    every = real_cloud().catalogue(cloud_type, gpu_count=1)
    offers = cheapest_first(offer for offer in every if offer.datacenter_id == ANYWHERE)
    if all(offer.usd_per_gpu_hour is None for offer in offers):
        raise CloudUnreachable("RunPod's catalogue has no prices at the moment", hint="try again later")
    if as_json:
        print_json([{key: row for key, row in as_row(offer).items() if key != "stock"} for offer in offers])
        return
    label = cloud_type.lower()
    cells = ((o.gpu_id, memory_text(o), price_text(o.usd_per_gpu_hour)) for o in offers)
    print_table(price_lines(offers, label), ("gpu", "GB", f"$/hr ({label})"), cells)


def memory_text(offer: Offer) -> str:
    """The GPU's memory in GB, for the table on a terminal: the plain layout is one that scripts parse."""
    return "" if offer.memory_gb is None else str(offer.memory_gb)


def refuse_spot(spot: bool) -> None:
    """Raises UsageError if spot pods are asked for: RunPod does not sell them any more."""
    if spot:
        raise UsageError(
            "RunPod no longer sells spot pods", hint="leave --spot out; --cloud-type COMMUNITY is often cheaper"
        )


def check_datacenter(cloud: RunPodCloud, datacenter_id: str) -> None:
    """Raises ConfigError if there is no such datacenter. One without stock is fine."""
    known = cloud.datacenter_ids()
    if datacenter_id in known:
        return
    near = closest(datacenter_id, known)
    hint = f"did you mean {near}?" if near else f"known: {', '.join(known)}"
    raise ConfigError(f"there is no datacenter {datacenter_id!r}", hint=hint)


def stocked_out(report: InventoryReport) -> int:
    """The exit code for no stock, after stderr says so and lists the GPUs that are in stock."""
    where = ", ".join(datacenter.datacenter_id for datacenter in report.datacenters)
    print_err(f"stock-out: none of {list(report.gpu_order)} is stocked in {where}")
    if report.others:
        print_err(f"hint: widen pod.gpu_order; in stock there now: {report.others}")
    return FAILURE_KINDS["stock_out"].exit_code


def as_row(offer: Offer) -> dict[str, Any]:
    """The offer as JSON."""
    row = {"gpu_id": offer.gpu_id, "stock": offer.stock, "price_per_hour_usd": offer.usd_per_gpu_hour}
    return {**row, "name": offer.name, "memory_gb": offer.memory_gb}
