"""Rules across sections of a config, and warnings, for a job whose fields are valid.

Knows the spec and the lines of a document; reads no file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..money import NO_DISKS, cents, forecast, requested_disks
from ..spec import STORAGE_NETWORK_VOLUME, RunpodJobSpec
from ..spec.gpu_names import meant, suggestion
from ..spec.spelling import closest
from ..spec.templates import REFERENCE, left_to_shell, likely_typos
from . import secret_names, transfers
from .background import left_running
from .document import Document
from .finding import Finding, Loc
from .gpus import CARDS
from .rendering import BUILT_IN, FIXED_NAMES, shell_texts

MOST_VARIABLES = 1000
LIMIT = "max_runtime_minutes"
SHELL_NAME = re.compile(r"\$(\w+|\{\w+\})")
# A rate times hours may miss the cap by a rounding error and still be meant to equal it.
ROUNDING = 1e-9
# A pod that is stopped this much earlier than its time limit is not worth a warning.
UNNOTICED_S = 60


def of_job(job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document) -> Iterator[Finding]:
    """Mistakes and warnings about a job that is not rendered yet."""
    yield from budget(job, document)
    yield from variables(job, cli_variables, document)
    yield from shell_names(job, cli_variables, document)
    yield from gpu_names(job, document)
    yield from background_work(job, document)
    yield from secret_names.of_job(job, cli_variables, document)
    if job.storage.mode == STORAGE_NETWORK_VOLUME and len(job.pod.datacenters) > 1:
        message = "a network volume is in one datacenter: only that one can be used"
        yield document.finding(("pod", "datacenters"), message, level="warning")


def budget(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """The cap must pay for the time limit at the assumed rate; exactly the cap is fine.

    A cap that pays for all but the pod's disks is only a warning: the pod is stopped before it costs more.
    """
    minutes, rate, loc = job.budget.max_runtime_minutes, job.budget.assumed_hourly_rate_usd, ("budget", LIMIT)
    if minutes is None:
        return
    over, seconds = f"more than the cap of {job.budget.cost_cap_usd:g} USD", minutes * 60
    gpus, whole = (forecast(job.budget, usd_per_hour=rate, disks=disks) for disks in (NO_DISKS, requested_disks(job)))
    hint = f"allow {int(whole.affordable_for.total_seconds() / 60)} minutes, or raise cost_cap_usd"
    if gpus.cost_after_usd(seconds) > job.budget.cost_cap_usd * (1 + ROUNDING):
        message = f"{minutes} minutes at {rate:g} USD/h cost {cents(gpus.cost_after_usd(seconds))} USD, {over}"
        yield document.finding(loc, message, hint=hint)
    elif whole.affordable_for.total_seconds() < seconds - UNNOTICED_S:
        message = f"{minutes} minutes cost {cents(whole.cost_after_usd(seconds))} USD with the pod's disks, {over}"
        yield document.finding(loc, f"{message}: the pod will be stopped earlier", hint=hint, level="warning")


def variables(job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document) -> Iterator[Finding]:
    """Findings about names that hide built-in ones, mistyped names of the command line, and too many names."""
    if len(job.variables) > MOST_VARIABLES:
        yield document.finding(("variables",), f"has more than {MOST_VARIABLES:,} names")
    for name in job.variables:
        if name in BUILT_IN:
            message = "is built in; this value is not used" if name in FIXED_NAMES else "hides a built-in name"
            yield document.finding(("variables", name), message, level="warning")
    for name in cli_variables:
        if name not in job.variables and name not in BUILT_IN:
            yield from undeclared(name, job, cli_variables, document)


def undeclared(
    name: str, job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document
) -> Iterator[Finding]:
    """A mistake for a name that was typed and changes nothing; of a file of variables, it is only a warning if it looks
    mistyped: such a file may be for several configs.
    """
    guess, message = closest(name, job.variables), f"the file declares no variable {name}"
    known = ", ".join(job.variables) or "none"
    hint = f"did you mean `{guess}`?" if guess else f"its variables are: {known}"
    if name not in getattr(cli_variables, "typed", ()):
        if guess:
            yield Finding(message=message, source="--var", hint=hint, level="warning")
    elif f"{{{name}}}" not in str(document.value):
        yield Finding(message=message, source="--var", hint=hint)


def gpu_names(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Warnings about GPU names that look mistyped; only RunPod's catalogue can tell for sure."""
    for i, gpu in enumerate(job.pod.gpu_order):
        known = REFERENCE.search(gpu) or meant(gpu, CARDS)
        if not known and (guess := suggestion(gpu, CARDS)):
            loc, message = ("pod", "gpu_order", i), f"{gpu!r} is not a known GPU of RunPod"
            yield document.finding(loc, message, hint=f"did you mean {guess!r}?", level="warning")


def shell_names(job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document) -> Iterator[Finding]:
    """Warnings about names in shell text: unknown ones that look mistyped, and known ones that the shell will read."""
    known = [*job.variables, *cli_variables, *BUILT_IN]
    for loc, text in shell_texts(job):
        for offset, name, guess in likely_typos(text, known):
            hint = f"did you mean {{{guess}}}?"
            yield _in_text(document, loc, text[:offset], f"{{{name}}} is not replaced", hint)
        for offset, shown in left_to_shell(text, known):
            hint = f"for the config's value write {{{shown.strip('${}')}}}"
            yield _in_text(document, loc, text[:offset], f"{shown} is not replaced, but left to the shell", hint)


def background_work(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """A warning about a body that ends while a command that it started may still run."""
    if (found := left_running(job.run.body)) is not None:
        offset, command = found
        message = f"ends while a command that it started in the background may still run: {command[:60]}"
        hint = "put `wait` on its last line, or run the command in the foreground; its end is the end of the job"
        yield _in_text(document, ("run", "body"), job.run.body[:offset], message, hint)


def _in_text(document: Document, loc: Loc, before: str, message: str, hint: str) -> Finding:
    """A warning at a line inside a text."""
    position = document.position(loc)
    line = position.line + 1 + before.count("\n") if position.block else position.line
    return replace(document.finding(loc, message, hint=hint, level="warning"), line=line)


def of_rendered(job: RunpodJobSpec, project_root: Path, document: Document) -> list[Finding]:
    """Mistakes that can only be seen once the values are rendered."""
    found = [*unprintable(job, document), *relative(job, document)]
    found += [*log_places(job, document), *literal_exports(job, document)]
    return [*found, *transfers.of_rendered(job, project_root, document)]


def unprintable(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Findings about names that are not one line of text: they are shown everywhere and name the pod."""
    names: dict[Loc, str] = {("name",): job.name}
    if ("run_id_prefix",) in document.positions:
        names[("run_id_prefix",)] = job.run_id_prefix
    for loc, name in names.items():
        if not name.isprintable():
            yield document.finding(loc, f"must be one line of plain text, got {name!r}")


def relative(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Findings about paths on the pod that start with a template and are not absolute once rendered."""
    paths: dict[Loc, str] = {("run", "script_path"): job.run.script_path, ("run", "log_path"): job.run.log_path}
    paths.update({("secrets", i, "destination"): s.destination for i, s in enumerate(job.secrets) if s.destination})
    for loc, path in paths.items():
        if not path.startswith("/"):
            yield document.finding(loc, f"must be an absolute path on the pod, got {path!r}")


def log_places(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Findings about a log that would be written over the script, or into a folder that is to equal a local one."""
    loc, log = ("run", "log_path"), posixpath.normpath(job.run.log_path)
    if log == posixpath.normpath(job.run.script_path):
        yield document.finding(loc, "is the same file as run.script_path: the log would be written over the script")
    for entry in job.staging:
        if entry.delete and log.startswith(posixpath.normpath(entry.destination).rstrip("/") + "/"):
            message = f"is inside {entry.destination}, where staging {entry.label} deletes what is not in its source"
            yield document.finding(loc, message, hint="put the log beside that folder, or leave `delete: true` out")


def literal_exports(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Warnings about exported values that look as if the shell would expand them: they are literal."""
    for name, value in job.remote_env.exports.items():
        if found := SHELL_NAME.search(value):
            message = f"is exported as it is written: {found[0]} is not replaced"
            hint = f'to extend a variable, write in run.body: export {name}="{value}"'
            yield document.finding(("remote_env", "exports", name), message, hint=hint, level="warning")
