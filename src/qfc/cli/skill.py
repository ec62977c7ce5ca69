"""`qfc skill`: the skill for AI agents and its scripts."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import RefusedError, UsageError
from ..skill import files
from ..skill.scripts import SCRIPTS, script
from ..skill.translate import command_line
from ..stack.names import did_you_mean
from .output import Writer
from .session import Session, pass_session

#: Where agents look for skills, below a home folder or a project's folder.
PLACE = Path(".claude/skills")


@click.group("skill")
def command() -> None:
    """Install the skill for AI agents; call its scripts."""


@command.command("install")
@click.option("--to", type=click.Path(path_type=Path), help="The folder of the skill, or a new file.zip.")
@click.option("--project", "in_project", is_flag=True, help="For this project: below the present folder.")
@click.option("--user", "for_user", is_flag=True, help="For everything that you do; the default.")
@pass_session
def install_command(session: Session, to: Path | None, in_project: bool, for_user: bool) -> None:
    """Copy the skill to where agents look for it. Asks before it replaces files that differ."""
    if sum((to is not None, in_project, for_user)) > 1:
        raise UsageError("--to, --project and --user exclude each other.", hint="Give only one of them.")
    source, target = files.folder(), _target(to, in_project=in_project)
    replaced = _confirmed(session, source, target)
    result = files.Installed(target, replaced, session.dry_run)
    if not session.dry_run:
        (files.pack if target.suffix == ".zip" else files.install)(source, target)
    session.writer.result(result, lambda writer: _write(writer, result), quiet=str(target))


@command.command("path")
@pass_session
def path_command(session: Session) -> None:
    """Print the folder with the skill's files of this release."""
    found = files.Installed(files.folder())
    session.writer.result(found, lambda writer: writer.line(str(found.path)), quiet=str(found.path))


@command.command("run", hidden=True, context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("name", metavar="SCRIPT")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run_command(context: click.Context, name: str, arguments: tuple[str, ...]) -> int:
    """Do what a script of the skill does: the scripts themselves call this."""
    found = script(name)
    if found is None:
        names = [one.name for one in SCRIPTS]
        raise UsageError(
            f"The skill has no script {name}.{did_you_mean(name, names)}", hint=f"Scripts: {', '.join(names)}"
        )
    root = context.find_root()
    return root.command.main(command_line(found, arguments), prog_name="qfc", standalone_mode=False, obj=root.obj)


def _target(to: Path | None, *, in_project: bool) -> Path:
    if to is not None:
        return to if to.suffix == ".zip" or to.name == files.NAME else to / files.NAME
    return (Path.cwd() if in_project else Path.home()) / PLACE / files.NAME


def _confirmed(session: Session, source: Path, target: Path) -> tuple[str, ...]:
    """Return the files that go. Raises RefusedError where nobody confirms that, or something else is there."""
    if target.is_dir() and any(target.iterdir()) and not (target / "SKILL.md").is_file():
        raise RefusedError(f"{target} is no skill.", hint="Choose another place with --to.")
    replaced = tuple(map(str, files.changed(source, target)))
    ask = session.options.ask
    if not replaced or session.yes or session.dry_run:
        return replaced
    if ask is None or not ask(f"{target} has {len(replaced)} files that differ. Replace them?"):
        raise RefusedError(f"{target} has files that differ.", hint="Replace them: add --yes")
    return replaced


def _write(writer: Writer, result: files.Installed) -> None:
    if result.dry_run:
        writer.plan([f"Write {result.path}", *(f"Replace {name}" for name in result.replaced)])
        return
    writer.line(f"The skill is in {result.path}.")
