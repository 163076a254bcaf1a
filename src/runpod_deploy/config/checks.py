"""Rules that go across sections or need the machine at hand, for a job that is valid by itself.

Knows the spec; knows no file but by the places that a document tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..money import NO_DISKS, forecast, requested_disks
from ..spec import STORAGE_NETWORK_VOLUME, RunpodJobSpec
from ..spec.spelling import closest
from ..spec.templates import REFERENCE, left_to_shell, likely_typos
from .document import Document
from .finding import Finding, Loc
from .gpus import KNOWN, meant_gpu
from .rendering import ALWAYS_OURS, BUILT_IN, shell_texts

MOST_VARIABLES = 1000
LIMIT = "max_runtime_minutes"
# A rate times hours may miss the cap by a rounding error and still be meant to equal it.
ROUNDING = 1e-9
# A pod that is stopped this much earlier than its time limit is not worth a warning.
UNNOTICED_S = 60


def of_job(job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document) -> Iterator[Finding]:
    """What is wrong or odd about an unrendered job."""
    yield from budget(job, document)
    yield from variables(job, cli_variables, document)
    yield from shell_names(job, cli_variables, document)
    yield from gpu_names(job, document)
    if job.storage.mode == STORAGE_NETWORK_VOLUME and len(job.pod.datacenters) > 1:
        words = "a network volume lives in one datacenter: only that one can be used"
        yield document.finding(("pod", "datacenters"), words, level="warning")


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
        words = f"{minutes} minutes at {rate:g} USD/h cost {gpus.cost_after_usd(seconds):.2f} USD, {over}"
        yield document.finding(loc, words, hint=hint)
    elif whole.affordable_for.total_seconds() < seconds - UNNOTICED_S:
        words = f"{minutes} minutes cost {whole.cost_after_usd(seconds):.2f} USD with the pod's disks, {over}"
        yield document.finding(loc, f"{words}: the pod will be stopped earlier", hint=hint, level="warning")


def variables(job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document) -> Iterator[Finding]:
    """Names that hide built-in ones, names from the command line that look mistyped, and too many names."""
    if len(job.variables) > MOST_VARIABLES:
        yield document.finding(("variables",), f"holds more than {MOST_VARIABLES:,} names")
    for name in job.variables:
        if name in BUILT_IN:
            words = "is built in; this value is not used" if name in ALWAYS_OURS else "hides a built-in name"
            yield document.finding(("variables", name), words, level="warning")
    for name in cli_variables:
        meant = "" if name in job.variables else closest(name, job.variables)
        if meant:
            words = f"the file declares no variable {name}"
            yield Finding(message=words, source="--var", hint=f"did you mean `{meant}`?", level="warning")


def gpu_names(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """GPU ids that look mistyped; only the catalogue can tell for sure."""
    for i, gpu in enumerate(job.pod.gpu_order):
        meant = "" if gpu in KNOWN or REFERENCE.search(gpu) else meant_gpu(gpu)
        if meant:
            words = f"{gpu!r} is no GPU id that RunPod is known to have"
            loc = ("pod", "gpu_order", i)
            yield document.finding(loc, words, hint=f"did you mean {meant!r}?", level="warning")


def shell_names(job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document) -> Iterator[Finding]:
    """In shell text: unknown names that look mistyped, and known ones that are left to the shell."""
    known = [*job.variables, *cli_variables, *BUILT_IN]
    for loc, text in shell_texts(job):
        for offset, name, meant in likely_typos(text, known):
            hint = f"did you mean {{{meant}}}?"
            yield _in_text(document, loc, text[:offset], f"{{{name}}} is left as it is", hint)
        for offset, shown in left_to_shell(text, known):
            hint = f"for the config's value write {{{shown.strip('${}')}}} alone"
            yield _in_text(document, loc, text[:offset], f"{shown} is left to the shell", hint)


def _in_text(document: Document, loc: Loc, before: str, message: str, hint: str) -> Finding:
    """A warning at a line within a text."""
    place = document.place(loc)
    line = place.line + 1 + before.count("\n") if place.block else place.line
    return replace(document.finding(loc, message, hint=hint, level="warning"), line=line)


def of_rendered(job: RunpodJobSpec, document: Document) -> list[Finding]:
    """What is wrong with rendered values that could not be seen before."""
    return [*unprintable(job, document), *relative(job, document)]


def unprintable(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Names that are more than a line of text; they are shown everywhere and name the pod."""
    names: dict[Loc, str] = {("name",): job.name}
    if ("run_id_prefix",) in document.places:
        names[("run_id_prefix",)] = job.run_id_prefix
    for loc, name in names.items():
        if not name.isprintable():
            yield document.finding(loc, f"must be one line of plain text, is {name!r}")


def relative(job: RunpodJobSpec, document: Document) -> Iterator[Finding]:
    """Paths on the pod that began with a brace and turned out to be no absolute ones."""
    paths: dict[Loc, str] = {("run", "script_path"): job.run.script_path, ("run", "log_path"): job.run.log_path}
    paths.update({("secrets", i, "destination"): secret.destination for i, secret in enumerate(job.secrets)})
    for loc, path in paths.items():
        if not path.startswith("/"):
            yield document.finding(loc, f"must be an absolute path on the pod, is {path!r}")
