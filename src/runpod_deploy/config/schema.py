"""The validator of the schema. Knows pydantic; the rules themselves are in the spec."""

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
from .messages import finding_of
from .placeholders import example_job, put_placeholder

# A mistake can hide others. Wrong values are replaced, and the rest is validated again, at most this many times.
VALIDATION_ROUNDS = 6
UNKNOWN_KEY = "unexpected_keyword_argument"


@functools.cache
def adapter() -> TypeAdapter[RunpodJobSpec]:
    """The validator, built once."""
    return TypeAdapter(RunpodJobSpec)


def validate(plain: Any, document: Document) -> tuple[RunpodJobSpec, list[Finding]]:
    """The job, and the mistakes in it.

    If there are mistakes, the job has placeholders for the wrong values, and is only good for further checks.
    """
    findings: dict[Loc, Finding] = {}
    plain = copy.deepcopy(plain)
    for _ in range(VALIDATION_ROUNDS):
        try:
            job = adapter().validate_json(json.dumps(plain))
            return job, without_followups(findings, document)
        except ValidationError as error:
            details = error.errors(include_url=False)
        for detail in details:
            for loc, finding in explain(detail, document):
                findings.setdefault(loc, finding)
                plain = put_placeholder(plain, loc, remove=detail["type"] == UNKNOWN_KEY or loc[-1:] == ("[key]",))
    return adapter().validate_json(json.dumps(example_job())), without_followups(findings, document)


def without_followups(findings: dict[Loc, Finding], document: Document) -> list[Finding]:
    """The findings without those about a missing field whose mistyped name is reported already."""
    unknown = [loc for loc in findings if loc and loc[-1] not in names_at(loc[:-1])]
    meant = {(*loc[:-1], closest(str(loc[-1]), names_at(loc[:-1]))) for loc in unknown}
    return [finding for loc, finding in findings.items() if loc not in meant or loc in document.positions]


def explain(detail: Any, document: Document) -> list[tuple[Loc, Finding]]:
    """One of pydantic's errors as findings with their locations; a broken rule between fields names its own ones."""
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
