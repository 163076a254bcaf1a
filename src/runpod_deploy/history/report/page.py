"""The page: totals, a table of all runs, and each run in detail. Pure; its frame is `page.html` beside it."""

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
from .markup import facts, section, table, tag, text

COLUMNS = ("run", "job", "pod", "GPU", "datacenter", "wall s", "failed", "cost", "outcome")
ARTIFACT_COLUMNS = ("artifact", "status", "files", "bytes sent", "seconds", "where")


def page(title: str, runs: Iterable[Details], totals: Totals, made_at: datetime) -> Iterator[str]:
    """The page in pieces, for totals that are known before the runs are read once more in detail."""
    frame = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    filled = frame.substitute(title=text(title), made_at=text(f"{made_at:%Y-%m-%d %H:%M} UTC"), totals=tiles(totals))
    before, _, after = filled.partition("<!-- runs -->")
    yield before
    for details in runs:
        yield run(details, opened=totals.manifests == 1)
    yield after


def tiles(totals: Totals) -> str:
    """The totals, a tile each."""
    shown = (tag("div", tag("b", text(value)), text(label.replace("_", " "))) for label, value in total_facts(totals))
    return "".join(shown)


def run(details: Details, *, opened: bool) -> str:
    """One run: a line that tells most, and the rest behind it."""
    manifest = details.manifest
    colour = {True: "failed", False: "fine", None: "open"}[has_failed(manifest)]
    row = run_row(details.path, manifest)
    line = (tag("span", text(cell)) for cell in (*run_cells(row), row["outcome"] or ""))
    opening = {"open": ""} if opened else {}
    return tag("details", tag("summary", *line, css=colour), "".join(parts(details)), id=details.path.name, **opening)


def parts(details: Details) -> Iterator[str]:
    """What is behind the line."""
    manifest = details.manifest
    phases = phase_costs(manifest)
    yield facts(manifest_facts(manifest) if manifest else [("manifest", "there is none that can be read")])
    yield section("Phases", timeline(phases))
    yield section("Artifacts", artifacts(mappings(manifest, "artifacts")))
    yield section("Load", charts(details.samples))
    yield section("Events", events(details))
    yield section("Provenance", facts(provenance(manifest)) if manifest else "")


def artifacts(entries: list[dict[str, Any]]) -> str:
    """What was pulled."""
    keys = ("label", "status", "files", "bytes_transferred", "duration_sec", "local_path")
    rows = [[text(entry.get(key)) for key in keys] for entry in entries]
    return table(ARTIFACT_COLUMNS, rows) if rows else ""


def events(details: Details) -> str:
    """What happened, and how much of it is not shown."""
    rows: list[tuple[str, Row]] = list(with_offsets(iter(details.events)))
    shown = table(("after", "event"), [[text(offset.strip("[]")), text(described(row))] for offset, row in rows])
    more = f"{details.events_left_out} more: runpod-deploy events {details.path}" if details.events_left_out else ""
    return shown + tag("p", text(more)) if rows else ""


def provenance(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What ran, from which state of the code, asked for by which file."""
    yield from mapping(manifest, "deploy_metadata").items()
    for key in ("config_path", "config_sha256", "image"):
        yield key, manifest.get(key)
    tool = mapping(manifest, "tool")
    yield "tool", f"{tool.get('name')} {tool.get('version')}" if tool else None
    yield from ((f"variable {name}", value) for name, value in mapping(manifest, "variables").items())
