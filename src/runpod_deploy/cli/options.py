"""Options that several commands share. Knows click and the texts of the flags; does no command's work."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from ..terminal.output import configure
from .completion import configs, variables
from .durations import Duration

Function = TypeVar("Function", bound=Callable[..., Any])

# The levels of logging, which itself is slow to import.
DEBUG, INFO, WARNING = 10, 20, 30


def config_argument(function: Function) -> Function:
    """FILE or `--config PATH`, passed as `config: Path`. Neither or both is a usage error."""

    @wraps(function)
    def call(*args: Any, file: Path | None, config: Path | None, **given: Any) -> Any:
        if (file is None) == (config is None):
            raise click.UsageError("name one FILE, the job's YAML file")
        return function(*args, config=file or config, **given)

    argument = click.argument(
        "file", metavar="FILE", type=click.Path(path_type=Path), required=False, shell_complete=configs
    )
    option = click.option(
        *("--config", "-c"), type=click.Path(path_type=Path), metavar="PATH", shell_complete=configs,
        help="The job's YAML file, in place of FILE.",
    )  # fmt: skip
    return cast(Function, argument(option(call)))


def config_option(function: Function) -> Function:
    """`--config PATH`, passed as `config: Path`."""
    return click.option(
        "--config",
        "-c",
        type=click.Path(path_type=Path),
        required=True,
        metavar="PATH",
        help="The job's YAML file.",
        shell_complete=configs,
    )(function)


def variable_options(function: Function) -> Function:
    """`--var KEY=VALUE` and `--vars-file PATH`, passed as `var` and `vars_file`; see config.parse_variables."""
    pair = click.option(
        "--var",
        multiple=True,
        metavar="KEY=VALUE",
        shell_complete=variables,
        help="The value of {KEY} in the file; repeatable.",
    )
    file = click.option(
        "--vars-file",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="A JSON object of variables; --var wins over it.",
    )
    return pair(file(function))


def wait_option(function: Function) -> Function:
    """`--wait DURATION`, passed as `wait`."""
    return click.option(
        "--wait",
        type=Duration(bare_seconds=True),
        default="0s",
        metavar="DURATION",
        help="If another process or another machine carries out this run, wait this long for it to end (90s, 30m, 2h; "
        "a bare number means seconds) instead of ending with exit code 8.",
    )(function)


def adopt_key_option(function: Function) -> Function:
    """`--adopt-key FILE`, passed as `adopt_key`."""
    return click.option(
        "--adopt-key",
        type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
        metavar="FILE",
        help="With --run-id: the private key that gets into the pod of a run which another machine began, if it is not "
        "ssh.key_path. Used once; the run goes on with a key of its own.",
    )(function)


def detach_option(function: Function) -> Function:
    """`--detach` and `--leave-to-guard`, passed as `detach` and `leave_to_guard`."""
    detach = click.option(
        "--detach",
        is_flag=True,
        help="Return as soon as the job has started. A process in the background carries the run to its end, even if "
        "this terminal is closed; `attach` follows it, and `stop` ends it.",
    )
    guard = click.option(
        "--leave-to-guard",
        is_flag=True,
        help="With --detach: leave no process behind. When the job is over, the pod's guard waits guard.idle_minutes "
        "for `resume`, and then ends the pod as lifecycle.on_failure says.",
    )
    return detach(guard(function))


def verbosity_options(function: Function) -> Function:
    """`-v` or `-q`, passed as `verbosity`: a level of logging. Both together are a usage error."""
    loud = click.option(
        *("-v", "--verbose"), is_flag=True, expose_value=False, callback=level_of(DEBUG), help="Print more.",
    )  # fmt: skip
    quiet = click.option(
        *("-q", "--quiet"), is_flag=True, expose_value=False, callback=level_of(WARNING),
        help="Print warnings and errors only. Tables, JSON and other data are printed as always.",
    )  # fmt: skip
    return loud(quiet(function))


def level_of(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    """The callback of a flag: it sets `verbosity` to this level."""

    def note(context: click.Context, _flag: click.Parameter, given: bool) -> None:
        chosen = context.params.setdefault("verbosity", INFO)
        if given and chosen != INFO:
            raise click.UsageError("-v and -q exclude each other")
        if given:
            context.params["verbosity"] = level

    return note


def plain_option(function: Function) -> Function:
    """`--no-color`, passed as `no_color`."""
    return click.option("--no-color", is_flag=True, help="Print plain text on a terminal, too.")(function)


def json_option(function: Function) -> Function:
    """`--json`, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")(function)


def output_options(function: Function) -> Function:
    """`-v`, `-q` and `--no-color`, passed to `terminal.output`; the function does not see them."""

    @wraps(function)
    def call(*args: Any, verbosity: int, no_color: bool, **given: Any) -> Any:
        configure(quiet=verbosity > INFO, plain=no_color)
        return function(*args, **given)

    return plain_option(verbosity_options(cast(Function, call)))
