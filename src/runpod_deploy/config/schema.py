"""The schema as a validator. Knows pydantic; the rules themselves are the spec's."""

from __future__ import annotations

import copy
import functools
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..spec import RunpodJobSpec
from ..spec.rules import RuleError
from ..spec.spelling import closest
from .document import Document
from .fields import names_at
from .finding import Finding, Loc
from .mend import mend, specimen
from .messages import finding_of

# A mistake can hide others behind it; this many layers deep they are dug out.
LAYERS = 6
UNKNOWN = "unexpected_keyword_argument"


@functools.cache
def adapter() -> TypeAdapter[RunpodJobSpec]:
    """The validator, built once."""
    return TypeAdapter(RunpodJobSpec)


def validate(plain: Any, document: Document) -> tuple[RunpodJobSpec, list[Finding]]:
    """The job, and all that is wrong with it.

    With findings, the job is only good for looking for more: what is wrong in it has been replaced.
    """
    findings: dict[Loc, Finding] = {}
    plain = copy.deepcopy(plain)
    for _ in range(LAYERS):
        try:
            job = adapter().validate_json(json.dumps(plain))
            return job, without_echoes(findings, document)
        except ValidationError as error:
            details = error.errors(include_url=False)
        for detail in details:
            for loc, finding in explain(detail, document):
                findings.setdefault(loc, finding)
                plain = mend(plain, loc, remove=detail["type"] == UNKNOWN or loc[-1:] == ("[key]",))
    return adapter().validate_json(json.dumps(specimen())), without_echoes(findings, document)


def without_echoes(findings: dict[Loc, Finding], document: Document) -> list[Finding]:
    """The findings without those about an absent field whose name is there, only mistyped."""
    unknown = [loc for loc in findings if loc and loc[-1] not in names_at(loc[:-1])]
    meant = {(*loc[:-1], closest(str(loc[-1]), names_at(loc[:-1]))) for loc in unknown}
    return [finding for loc, finding in findings.items() if loc not in meant or loc in document.places]


def explain(detail: Any, document: Document) -> list[tuple[Loc, Finding]]:
    """One of pydantic's errors as findings and where to mend; broken rules between fields name their own."""
    loc: Loc = tuple(detail["loc"])
    cause = detail.get("ctx", {}).get("error")
    if not isinstance(cause, RuleError):
        return [(loc, finding_of(detail, document))]
    places = [(_below(loc, mistake.field), mistake.message) for mistake in cause.mistakes]
    return [(place, document.finding(place, message)) for place, message in places]


def _below(loc: Loc, field: str) -> Loc:
    """The location of a dotted field below a location."""
    parts: list[str | int] = []
    for part in field.replace("[", ".[").split("."):
        if part.startswith("["):
            parts.append(int(part[1:-1]))
        elif part:
            parts.append(part)
    return (*loc, *parts)
