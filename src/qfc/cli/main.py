"""`qfc`: the root of the command line. A command's module is imported when that command is called."""

from __future__ import annotations

import importlib
import logging
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from .. import __version__
from ..errors import QfcError, UsageError
from ..files import FULL
from ..stack.names import did_you_mean
from . import complete
from .catalog import COMMANDS, command_names
from .session import Session

HELP = """Manage QFieldCloud servers: start, watch, diagnose and repair them.

\b
A stack of your own on this machine, with nothing but Python:
  qfc init            write the configuration
  qfc up              start database, API and workers
  qfc users create    create the first user
  qfc status          show its state

\b
An official deployment under Docker Compose, here or on a server:
  qfc init field --kind compose --host server --project-path /srv/qfieldcloud
  qfc status          services, queue, disk
  qfc deploy --tag T  deploy another release, with rollback
"""

EPILOG = """Exit codes: 0 success, 1 failed or a problem was found, 2 wrong usage or configuration, 3 unreachable,
4 refused (lock held, not confirmed), 5 partly done."""

COMMAND_EPILOG = (
    "Every command also accepts --stack, --json, --yes, --dry-run, --wait, --verbose and --quiet; see qfc --help."
)


def _set(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Store a global flag in the session; without the flag, a value from before the command stays."""
    if value not in (None, False) and parameter.name:
        setattr(context.ensure_object(Session), parameter.name.removeprefix("qfc_"), value)
    return value


def global_options(*, hidden: bool) -> list[click.Option]:
    """Return the flags that are accepted before and after a command."""

    def option(name: str, variable: str, help: str, **more: Any) -> click.Option:
        shared: dict[str, Any] = {"help": help, "hidden": hidden, "expose_value": False, "callback": _set}
        return click.Option([name, f"qfc_{variable}"], **shared, **more)

    return [
        option(
            "--stack",
            "stack",
            "The configured stack to use; also QFC_STACK.",
            metavar="NAME",
            shell_complete=complete.stacks,
        ),
        option("--json", "json", "Print one JSON document.", is_flag=True),
        option("--yes", "yes", "Do not ask for confirmation.", is_flag=True),
        option("--dry-run", "dry_run", "Print the plan of a change; change nothing.", is_flag=True),
        option("--wait", "wait_s", "Seconds to wait for another operator's lock.", type=float, metavar="SECONDS"),
        option("--verbose", "verbose", "Show every external command and query, and tracebacks.", is_flag=True),
        option("--quiet", "quiet", "Print only the result.", is_flag=True),
    ]


def with_global_options(command: click.Command) -> click.Command:
    """Give a command and its subcommands the global flags, hidden from their help."""
    own = {declaration for parameter in command.params for declaration in parameter.opts}
    command.params.extend(option for option in global_options(hidden=True) if own.isdisjoint(option.opts))
    command.epilog = command.epilog or COMMAND_EPILOG
    if isinstance(command, click.Group):
        for child in command.commands.values():
            # A whole sentence, folded: Click would cut it.
            child.short_help = child.short_help or first_sentence(child.help or "")
            with_global_options(child)
    return command


def first_sentence(text: str) -> str:
    """Return the first sentence of a help text."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"\.(?: |$)", paragraph, maxsplit=1)[0] + "." if paragraph else ""


# ruff: noqa: ARG002 - the methods of Root have click's signatures
class Root(click.Group):
    """Finds commands in `COMMANDS` and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands in the order of the help page."""
        return command_names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.commands:
            if cmd_name not in command_names():
                return None
            module = importlib.import_module(f"qfc.cli.{cmd_name}")
            self.add_command(with_global_options(module.command), cmd_name)
        return self.commands[cmd_name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their groups, without importing any."""
        width = max(len(name) for name in command_names())
        for title, group in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in group.items()])


root = Root(
    "qfc",
    params=[*global_options(hidden=False)],
    help=HELP,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
root = click.version_option(__version__, prog_name="qfc")(root)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; return its exit code. The only place where errors are caught."""
    out = sys.stdout
    session = Session(json="--json" in arguments, verbose="--verbose" in arguments)
    if session.verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        code = root.main(list(arguments), prog_name="qfc", standalone_mode=False, obj=session)
        return code if isinstance(code, int) else 0
    except QfcError as error:
        return _fail(session, error)
    except click.UsageError as error:
        return _fail(session, _usage(error)) if session.json or not _is_help(error) else _show_help(error)
    except click.ClickException as error:
        return _fail(session, UsageError(error.format_message()))
    except (click.Abort, KeyboardInterrupt):
        return _fail(session, _interrupted())
    except SystemExit:
        if sys.stdout is not out:
            return 0  # Click replaces the stream and ends when nobody reads any more.
        raise
    except OSError as error:
        return _fail(session, _unwritable(error) if error.errno in FULL and not error.filename else _fault(error))
    except Exception as error:  # noqa: BLE001 - the last resort: an operator gets three lines, not a traceback
        return _fail(session, _fault(error))
    finally:
        session.close()


def _fail(session: Session, error: QfcError) -> int:
    if session.verbose:
        traceback.print_exception(error, file=sys.stderr)
    session.progress.clear()
    session.writer.error(error)
    return error.exit_code


def _usage(error: click.UsageError) -> UsageError:
    path = error.ctx.command_path if error.ctx else "qfc"
    message = "The command is missing." if _is_help(error) else error.format_message()
    group = error.ctx.command if error.ctx else None
    wanted = _UNKNOWN.search(message)
    if wanted and error.ctx and isinstance(group, click.Group):
        message += did_you_mean(wanted[1], group.list_commands(error.ctx))
    return UsageError(message, hint=f"See: {path} --help")


#: What click says of a command that a group does not have.
_UNKNOWN = re.compile(r"No such command '([^']*)'\.$")


def _is_help(error: click.UsageError) -> bool:
    """Return whether only the name of a group was typed; click's message is then the whole help page."""
    return error.ctx is not None and error.message == error.ctx.get_help()


def _show_help(error: click.UsageError) -> int:
    click.echo(error.message, err=True)
    return UsageError.exit_code


def _interrupted() -> QfcError:
    return QfcError("Interrupted.", hint="The change may be incomplete. Type: qfc status")


def _fault(cause: Exception) -> QfcError:
    error = QfcError(
        f"qfc has a bug: {type(cause).__name__}", hint="Run the command again with --verbose and report the output."
    )
    error.__cause__ = cause
    return error


def _unwritable(error: OSError) -> QfcError:
    return QfcError(f"The output cannot be written: {error.strerror}.", hint="Check free space where it goes.")


if __name__ == "__main__":
    from ..__main__ import main

    main()
