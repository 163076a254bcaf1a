"""Rendering of a job's templates: the known names, the fields that are templates, and the mistakes in them.

Knows the spec's fields by name; knows no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..spec import RunpodJobSpec
from ..spec.spelling import closest
from ..spec.templates import CycleError, TooLongError, UnknownNameError, render, render_shell, resolve
from .finding import Loc

# In these, `{name}` may belong to the shell or to a program; everywhere else it must be a known name.
SHELL_FIELDS = {
    ("run", "body"),
    ("setup", "command"),
    ("preflight", "command"),
    ("pod", "start_command"),
    ("pod", "env"),
    ("on_end",),
}
VERBATIM_FIELDS = {("variables",), ("local", "project_root"), ("secrets", "env"), ("secrets", "mode")}
# These are rendered together with the names, because names may refer to them.
NAMED_FIELDS = {("name",), ("run_id_prefix",)}
BUILT_IN = ("config_dir", "project_root", "run_dir", "run_id", "job_name", "volume_mount")
FIXED_NAMES = ("run_id", "job_name")
# Aliases may repeat a text many times, and every copy is kept in memory.
MOST_RENDERED_CHARACTERS = 8_000_000


@dataclass(frozen=True, slots=True)
class Names:
    """The known names: templates that may refer to each other, and constants."""

    templates: dict[str, str]
    constants: dict[str, str]
    stamp: str

    @property
    def known(self) -> list[str]:
        """Every name, the user's first."""
        return [*self.templates, *self.constants]


def names_of(
    job: RunpodJobSpec, variables: Mapping[str, str], constants: Mapping[str, str], stamp: str, run_id: str = ""
) -> Names:
    """The names of a job with these variables, which may hide all built-in names except run_id and job_name.

    If run_id is given, it is the id of the run instead of prefix and stamp.
    """
    templates = {
        "volume_mount": job.storage.volume_mount,
        **variables,
        "job_name": job.name,
        "run_id": run_id or f"{job.run_id_prefix or job.name}-{stamp}",
    }
    return Names(templates, {k: v for k, v in constants.items() if k not in variables}, stamp)


def values_of(names: Names) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The value of every name, and the reason for each name that cannot be rendered, whose value is then its name."""
    values = dict(names.constants)
    wrong: dict[str, str] = {}
    for name in names.templates:
        try:
            resolve(name, names.templates, values)
        except UnknownNameError as error:
            wrong[error.where] = unknown_name_message(error.name, names.known)
        except CycleError as error:
            wrong[min(error.names)] = str(error)
        except TooLongError as error:
            wrong[name] = str(error)
    for name in names.templates:
        values.setdefault(name, name)
    return values, list(wrong.items())


def unknown_name_message(name: str, known: list[str]) -> str:
    """The message about an unknown name."""
    meant = closest(name, known)
    hint = f"did you mean {{{meant}}}?" if meant else f"known names: {', '.join(known)}"
    return f"unknown name {{{name}}}; {hint}"


@dataclass(slots=True)
class Renderer:
    """Renders the templates in plain values, and collects the mistakes."""

    values: Mapping[str, str]
    stamp: str
    wrong: list[tuple[Loc, str]] = field(default_factory=list)
    length: int = 0
    messages: dict[str, str] = field(default_factory=dict)

    def job(self, plain: Any) -> Any:
        """The values of a whole job, rendered."""
        result = self.walk(plain, ())
        result["name"] = self.values["job_name"]
        result["run_id_prefix"] = self.values["run_id"].removesuffix(f"-{self.stamp}")
        return result

    def walk(self, plain: Any, loc: Loc) -> Any:
        """The values at a location, rendered."""
        kind = field_of(loc)
        if kind in VERBATIM_FIELDS or kind in NAMED_FIELDS:
            return plain
        if isinstance(plain, dict):
            return {key: self.walk(value, (*loc, key)) for key, value in plain.items()}
        if isinstance(plain, list):
            return [self.walk(value, (*loc, i)) for i, value in enumerate(plain)]
        return self.text(plain, loc) if isinstance(plain, str) else plain

    def text(self, text: str, loc: Loc) -> str:
        """One text, rendered by the rules of its field; unchanged if it cannot be rendered."""
        try:
            result = (render_shell if is_shell(loc) else render)(text, self.values)
            self.count(result)
        except UnknownNameError as error:
            self.wrong.append((loc, self.message(error.name)))
            return text
        except TooLongError as error:
            self.wrong.append((loc, str(error)))
            return text
        return result

    def message(self, name: str) -> str:
        """The message about an unknown name. It is made once per name, since guessing takes time."""
        if name not in self.messages:
            self.messages[name] = unknown_name_message(name, list(self.values))
        return self.messages[name]

    def count(self, text: str) -> None:
        """Returns if all texts together are not too long. Raises TooLongError."""
        self.length += len(text)
        if self.length > MOST_RENDERED_CHARACTERS:
            self.length = 0
            raise TooLongError


def field_of(loc: Loc) -> tuple[str, ...]:
    """The section and field of a location, without list indexes."""
    return tuple(part for part in loc if isinstance(part, str))[:2]


def is_shell(loc: Loc) -> bool:
    """Whether the text at a location is shell text."""
    return field_of(loc) in SHELL_FIELDS


def shell_texts(job: RunpodJobSpec) -> Iterator[tuple[Loc, str]]:
    """Every shell text of a job with its location."""
    yield ("run", "body"), job.run.body
    for section in ("setup", "preflight"):
        for i, command in enumerate(getattr(job, section)):
            yield (section, i, "command"), command.command
    if job.on_end:
        yield ("on_end",), job.on_end
    if job.pod.start_command:
        yield ("pod", "start_command"), job.pod.start_command
