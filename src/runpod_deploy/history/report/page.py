"""The page: totals, and each run in detail. Pure; its frame is the file `page.html` in this folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.resources import files
from string import Template
from typing import Any

from ..costs import phase_costs
from ..details import Details
from ..events import Row, described, with_offsets
from ..layouts import manifest_facts, run_cells, run_row, total_facts
from ..manifests import has_failed, mapping, mappings
from ..totals import Totals
from .charts import charts, timeline
from .markup import fact_list, html_table, html_text, section, tag

ARTIFACT_COLUMNS = ("artifact", "status", "files", "bytes sent", "seconds", "where")


def page(title: str, runs: Iterable[Details], totals: Totals, made_at: datetime) -> Iterator[str]:
    """The page in pieces, so that the details of all runs are never in memory at once."""
    frame = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    filled = frame.substitute(
        title=html_text(title), made_at=html_text(f"{made_at:%Y-%m-%d %H:%M} UTC"), totals=tiles(totals)
    )
    before, _, after = filled.partition("<!-- runs -->")
    yield before
    for details in runs:
        yield run_section(details, opened=totals.manifests == 1)
    yield after


def tiles(totals: Totals) -> str:
    """A tile for each of the totals."""
    shown = (
        tag("div", tag("b", html_text(value)), html_text(label.replace("_", " ")))
        for label, value in total_facts(totals)
    )
    return "".join(shown)


def run_section(details: Details, *, opened: bool) -> str:
    """One run: a line with the main facts, which opens to show the rest."""
    manifest = details.manifest
    colour = {True: "failed", False: "fine", None: "open"}[has_failed(manifest)]
    row = run_row(details.path, manifest)
    line = (tag("span", html_text(cell)) for cell in (*run_cells(row), row["outcome"] or ""))
    opening = {"open": ""} if opened else {}
    return tag(
        "details", tag("summary", *line, css=colour), "".join(run_parts(details)), id=details.path.name, **opening
    )


def run_parts(details: Details) -> Iterator[str]:
    """The sections that are shown when the line is opened."""
    manifest = details.manifest
    phases = phase_costs(manifest)
    yield fact_list(manifest_facts(manifest) if manifest else [("manifest", "there is none that can be read")])
    yield section("Phases", timeline(phases))
    yield section("Artifacts", artifact_table(mappings(manifest, "artifacts")))
    yield section("Load", charts(details.samples))
    yield section("Events", event_table(details))
    yield section("Provenance", fact_list(origin_facts(manifest)) if manifest else "")


def artifact_table(entries: list[dict[str, Any]]) -> str:
    """The downloaded artifacts."""
    keys = ("label", "status", "files", "bytes_transferred", "duration_sec", "local_path")
    rows = [[html_text(entry.get(key)) for key in keys] for entry in entries]
    return html_table(ARTIFACT_COLUMNS, rows) if rows else ""


def event_table(details: Details) -> str:
    """The events, and the number of events that are not shown."""
    rows: list[tuple[str, Row]] = list(with_offsets(iter(details.events)))
    shown = html_table(
        ("after", "event"), [[html_text(offset.strip("[]")), html_text(described(row))] for offset, row in rows]
    )
    more = f"{details.events_left_out} more: runpod-deploy events {details.path}" if details.events_left_out else ""
    return shown + tag("p", html_text(more)) if rows else ""


def origin_facts(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The state of the code, the config file, the image, the tool and the variables of the run."""
    yield from mapping(manifest, "deploy_metadata").items()
    for key in ("config_path", "config_sha256", "image"):
        yield key, manifest.get(key)
    tool = mapping(manifest, "tool")
    yield "tool", f"{tool.get('name')} {tool.get('version')}" if tool else None
    yield from ((f"variable {name}", value) for name, value in mapping(manifest, "variables").items())
