"""The page: totals, and each run in detail. Pure; its frame is the file `page.html` in this folder."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from string import Template
from typing import Any

from ...record.reported import rounded
from ...spec.plain import is_number
from ..costs import phase_costs
from ..details import Details
from ..events import Row, described, with_offsets
from ..facts import Facts, run_facts
from ..layouts import failure_text, manifest_facts, total_facts
from ..manifests import Manifest, mapping, mappings
from ..matrix import Best, duration_text, value_text
from ..totals import Totals
from .charts import charts, timeline
from .markup import fact_list, html_table, html_text, link_list, section, tag
from .runs_table import COLOURS, runs_table

SUMMARY = ("run", "job", "outcome", "duration", "cost", "gpu", "dc")
MOST_JOBS = 3
TILES = {
    "manifests": "runs",
    "wall_time_sec": "on pods",
    "estimated_cost": "estimated cost",
    "unknown_wall": "with unknown time",
    "unknown_cost": "with unknown cost",
    "unknown_result": "with unknown result",
    "unfinished": "not over yet",
    "unreleased": "may still bill: see runpod-deploy audit",
    "stopped_disks": "for disks of stopped pods",
    "running_pods": "for pods that run on",
    "without_manifest": "folders without a manifest",
}
"""The totals in plain words."""
ARTIFACT_COLUMNS = ("artifact", "status", "files", "bytes sent", "seconds", "where")


def page(
    title: str,
    runs: Iterable[Details],
    totals: Totals,
    made_at: datetime,
    facts: Sequence[Facts] = (),
    best: Best | None = None,
) -> Iterator[str]:
    """The page in pieces, so that the details of all runs are never in memory at once."""
    script = files(__package__).joinpath("sorting.js").read_text(encoding="utf-8")
    frame = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    filled = frame.substitute(
        title=html_text(heading(title, facts)),
        made_at=html_text(f"{made_at:%Y-%m-%d %H:%M} UTC"),
        totals=tiles(totals),
        table=runs_table(facts, best),
        script=tag("script", script) if len(facts) > 1 else "",
        script_hash=hash_of(script),
    )
    before, _, after = filled.partition("<!-- runs -->")
    yield before
    for details in runs:
        yield run_section(details, opened=totals.manifests == 1)
    yield after


def heading(title: str, facts: Sequence[Facts]) -> str:
    """The jobs and the number of their runs, or the job, the outcome and the name of the only run."""
    jobs = list(dict.fromkeys(str(run["job"]) for run in facts if run["job"]))
    if not jobs:
        return title
    if len(facts) == 1:
        return " · ".join(filter(None, (jobs[0], facts[0]["outcome"], title)))
    named = ", ".join(jobs[:MOST_JOBS]) + (" and others" if len(jobs) > MOST_JOBS else "")
    return f"{named}: {len(facts)} runs"


def hash_of(script: str) -> str:
    """The hash by which the page names its one script: a browser runs no other, whatever a record holds."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def tiles(totals: Totals) -> str:
    """A tile for each of the totals."""
    shown = (
        tag("div", tag("b", html_text(tile_value(label, value))), html_text(tile_label(label, value)))
        for label, value in total_facts(totals)
    )
    return "".join(shown)


def tile_value(label: str, value: Any) -> Any:
    """The value of a total, a time in its two largest units."""
    return duration_text(float(value)) if label == "wall_time_sec" else value


def tile_label(label: str, value: Any) -> str:
    """The words below a total."""
    return "run" if label == "manifests" and value == 1 else TILES.get(label, label.replace("_", " "))


def run_section(details: Details, *, opened: bool) -> str:
    """One run: a line with the main facts, which opens to show the rest."""
    facts = run_facts(details.path, details.manifest)
    line = (tag("span", html_text(value_text(key, facts[key]))) for key in SUMMARY)
    opening = {"open": ""} if opened else {}
    summary = tag("summary", *line, css=COLOURS[facts["failed"]])
    return tag("details", summary, "".join(run_parts(details)), id=details.path.name, **opening)


def failure_part(details: Details) -> str:
    """What failed, and the end of the job's log; empty for a run that has not failed."""
    failure = mapping(details.manifest, "failure")
    tail = tag("pre", html_text("\n".join(details.log_tail))) if details.log_tail else ""
    return tag("div", tag("p", html_text(failure_text(failure))), tail, css="failure") if failure else ""


def run_parts(details: Details) -> Iterator[str]:
    """The sections that are shown when the line is opened."""
    manifest = details.manifest
    phases = phase_costs(manifest)
    yield failure_part(details)
    yield section("Links", link_list(mapping(manifest, "links")))
    yield section("Metrics", fact_list(numbers(manifest)))
    yield fact_list(manifest_facts(manifest) if manifest else [("manifest", "there is none that can be read")])
    yield section("Phases", timeline(phases))
    yield section("Artifacts", artifact_table(mappings(manifest, "artifacts")))
    drawn = charts(details.samples)
    yield section("Load", tag("div", drawn, css="charts") if drawn else "")
    yield section("Events", event_table(details))
    yield section("Provenance", fact_list(origin_facts(manifest)) if manifest else "")


def artifact_table(entries: list[dict[str, Any]]) -> str:
    """The downloaded artifacts."""
    keys = ("label", "status", "files", "bytes_transferred", "duration_sec", "local_path")
    rows = [[html_text(entry.get(key)) for key in keys] for entry in entries]
    return tag("div", html_table(ARTIFACT_COLUMNS, rows, css="wide"), css="scroll") if rows else ""


def numbers(manifest: Manifest) -> list[tuple[str, Any]]:
    """The metrics of the run with the digits that count."""
    return [
        (name, rounded(value) if is_number(value) else value) for name, value in mapping(manifest, "metrics").items()
    ]


def event_table(details: Details) -> str:
    """The events, and the number of events that are not shown."""
    rows: list[tuple[str, Row]] = list(with_offsets(iter(details.events)))
    shown = html_table(
        ("after", "event"),
        [[html_text(offset.strip("[]")), html_text(described(row))] for offset, row in rows],
        css="wide",
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
