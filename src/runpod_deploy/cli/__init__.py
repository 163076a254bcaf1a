"""The command line. Every command has a module of its own, which is loaded when the command is called."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence

import click

from .. import __version__
from ..errors import EXIT_INTERRUPTED, DeployError, UsageError
from ..spec.visible import shortened
from ..terminal.output import flush_or_discard, open_closed_streams, print_err

# name -> module:function; loading only what is needed keeps the start of every command fast.
COMMANDS = {
    "run": "run:run",
    "resume": "resume:resume",
    "attach": "resume:attach",
    "pull": "resume:pull",
    "validate": "validate:validate",
    "schema": "schema:schema",
    "status": "status:status",
    "manifest": "status:manifest",
    "report": "report:report",
    "note": "note:note",
    "ssh": "ssh:ssh",
    "manifest-summary": "records:manifest_summary",
    "ls-runs": "ls_runs:ls_runs",
    "compare-runs": "compare_runs:compare_runs",
    "events": "events:events",
    "events-query": "events:events_query",
    "billing": "billing:billing",
    "init": "init:init",
    "config": "config:config",
    "estimate": "estimate:estimate",
    "capture-env": "capture_env:capture_env",
    "gpu-list": "gpu:gpu_list",
    "gpu-inventory": "gpu:gpu_inventory",
    "gpu-prices": "gpu:gpu_prices",
    "ls-stale": "pods:ls_stale",
    "cleanup": "pods:cleanup",
    "stop": "stop:stop",
    "audit": "audit:audit_command",
    "logs": "logs:logs",
    "doctor": "doctor:doctor",
}


SHOWN_CHARS = 200


class LazyGroup(click.Group):
    """A group of commands that imports the module of a command when the command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command with that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(f".{module}", __name__), function)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """The command's result; 0 if the reader of stdout has ended (`| head`), which is no error."""
        try:
            result: object = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
            return result
        except BrokenPipeError:
            return 0


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runpod-deploy")
def cli() -> None:
    """One YAML file in, one finished GPU job on RunPod out, and nothing left billing."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of one command line, even if nobody reads its output."""
    open_closed_streams()
    code = call(argv)
    flush_or_discard(sys.stdout)
    flush_or_discard(sys.stderr)
    return code


def call(argv: Sequence[str] | None) -> int:
    """The exit code of the command. An error of ours becomes a line and a hint on stderr, never a traceback."""
    try:
        result = cli.main(args=argv, prog_name="runpod-deploy", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except DeployError as error:
        return print_error(error)
    except click.UsageError as error:
        shown = io.StringIO()
        error.show(shown)
        print_err(shown.getvalue().rstrip())
        return 2
    except click.exceptions.Exit as done:
        return done.exit_code
    except (OSError, UnicodeEncodeError) as error:
        return print_error(unusable(error))
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED


def unusable(error: OSError | UnicodeEncodeError) -> UsageError:
    """The error for a file or a name that this machine cannot use, such as a name of 300 characters."""
    if isinstance(error, OSError):
        name = shortened(repr(error.filename), SHOWN_CHARS) if error.filename else "this machine"
        return UsageError(
            f"{name}: {error.strerror or error}", hint="check the paths on the command line and in the config"
        )
    return UsageError(f"a text that cannot be encoded: {error.reason}", hint="use names in UTF-8")


def print_error(error: DeployError) -> int:
    """The error's exit code, after its message and its hint are on stderr."""
    print_err(f"error: {error.message}")
    if error.hint:
        print_err(f"hint: {error.hint}")
    return error.exit_code
