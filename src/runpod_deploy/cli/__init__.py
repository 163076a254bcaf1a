"""The command line. Every command has a module of its own, which is loaded when the command is called."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .. import __version__
from ..errors import EXIT_INTERRUPTED, DeployError, UsageError
from ..spec.visible import shortened
from ..terminal.output import flush_or_discard, open_closed_streams, print_err
from .groups import grouped

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# name -> (module:function, short help). Help and completion read only this table, and a command loads only its own
# module: every start is felt.
COMMANDS = {
    "run": ("run:run", "Run one job, from YAML to manifest."),
    "resume": ("resume:resume", "Continue a run from its folder."),
    "attach": ("resume:attach", "Follow a run again."),
    "pull": ("resume:pull", "Download a run's artifacts as they are now."),
    "validate": ("validate:validate", "Check a config without starting anything."),
    "schema": ("schema:schema", "Print the JSON Schema of config files, for editors."),
    "status": ("status:status", "Show where runs stand and what they have cost."),
    "manifest": ("status:manifest", "Rebuild a run's manifest, and print its summary."),
    "report": ("report:report", "Write one or many runs as one HTML page."),
    "note": ("note:note", "Write tags and a note to a run, or print them."),
    "ssh": ("ssh:ssh", "Open a shell on a run's pod, run a command there, or forward ports."),
    "manifest-summary": ("records:manifest_summary", "Print the result of one run, or of many with totals."),
    "ls-runs": ("ls_runs:ls_runs", "List the runs of a project, oldest first."),
    "compare-runs": ("compare_runs:compare_runs", "Show what differs between runs, and which is the best."),
    "events": ("events:events", "Print the events of one run."),
    "events-query": ("events:events_query", "Search the events of all runs below a folder."),
    "billing": ("billing:billing", "Show what RunPod has billed for runs."),
    "init": ("init:init", "Write a commented config for this project."),
    "config": ("config:config", "Show configs."),
    "estimate": ("estimate:estimate", "Print what a config would cost."),
    "capture-env": ("capture_env:capture_env", "Print commit and lockfile of a project as JSON."),
    "gpu-list": ("gpu:gpu_list", "List the GPUs of a datacenter with stock and price."),
    "gpu-inventory": ("gpu:gpu_inventory", "Check the stock of a config's GPUs; exit 3 if there is none."),
    "gpu-prices": ("gpu:gpu_prices", "List what each GPU costs per hour."),
    "ls-stale": ("pods:ls_stale", "List stopped pods and the price of their disks."),
    "cleanup": ("pods:cleanup", "End the pod of a state file, or delete all stopped pods."),
    "stop": ("stop:stop", "End a run from any terminal."),
    "audit": ("audit:audit_command", "List pods of this tool that should not exist; exit 9 if there are any."),
    "logs": ("logs:logs", "Print the output of a job; --system: the log of its host."),
    "prune": ("prune:prune", "Remove the folders of old runs whose pods are gone."),
    "doctor": ("doctor:doctor", "Check key, API, balance, SSH and rsync."),
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
        place, short_help = COMMANDS[cmd_name]
        module, function = place.split(":")
        command: click.Command = getattr(importlib.import_module(f".{module}", __name__), function)
        command.short_help = short_help
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help shows the commands in groups, each with an example."""
        for group in grouped(self.list_commands(ctx)):
            with formatter.section(group.title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in group.commands])
                if group.example:
                    formatter.write_text(f"Example: {group.example}")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin so."""
        from click.shell_completion import CompletionItem

        begun = [(name, text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=text) for name, text in begun), *options]

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
