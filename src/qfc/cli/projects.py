"""`qfc projects`: projects and their problems, export and import."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from ..operations.jobs_view import JobLine
from ..operations.projects_export import Exported, projects_export
from ..operations.projects_import import Imported, projects_import
from ..operations.projects_list import ProjectsList, projects_list
from ..operations.projects_status import ProjectStatus, projects_status
from ..stack.queue import short
from . import complete
from .output import Writer, bytes_text, moment_text, seconds_text, time_text
from .session import Session, pass_session
from .tables import facts


@click.group("projects")
def command() -> None:
    """List projects and their problems; export and import projects."""


@command.command("list")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="Number of projects to list."
)
@pass_session
def list_command(session: Session, limit: int) -> None:
    """List projects, most recently changed first."""
    result = projects_list(session.ports, limit=limit)
    names = "\n".join(f"{project.owner}/{project.name}" for project in result.projects)
    session.writer.result(result, lambda writer: write_list(writer, result), quiet=names)


@command.command("status")
@click.argument("name", required=False, metavar="[PROJECT]", shell_complete=complete.projects)
@complete.project_option("The project: id or OWNER/NAME.")
@pass_session
def status_command(session: Session, name: str | None, project: str | None) -> None:
    """Show one project: its jobs, and the field edits that were not applied."""
    result = projects_status(session.ports, require_project(project or name, "status"))
    document = {**vars(result.project), **{key: value for key, value in vars(result).items() if key != "project"}}
    session.writer.result(document, lambda writer: write_status(writer, result), quiet=result.project.status)


@command.command("export")
@click.argument("name", required=False, metavar="[PROJECT]", shell_complete=complete.projects)
@complete.project_option("The project: id or OWNER/NAME.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write; by default a new one here.")
@click.option("--all-versions", is_flag=True, help="Include earlier versions of the files.")
@pass_session
def export_command(
    session: Session, name: str | None, project: str | None, output: Path | None, all_versions: bool
) -> None:
    """Export a project to one zip file: files, newest package, edits, settings and collaborators."""
    chosen = require_project(project or name, "export")
    result = projects_export(session.ports, chosen, output, session.options, all_versions=all_versions)
    session.writer.result(result, lambda writer: write_exported(writer, result), quiet=str(result.path))


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--owner", metavar="NAME", help="Owner of the new project; by default the exported one.")
@click.option("--name", metavar="NAME", help="Name of the new project; by default the exported one.")
@click.option("--with-deltas", is_flag=True, help="Resend edits that had not been applied.")
@pass_session
def import_command(session: Session, file: Path, owner: str | None, name: str | None, with_deltas: bool) -> None:
    """Create a project from a file that `qfc projects export` wrote, on this server or another one."""
    result = projects_import(session.ports, file, session.options, owner=owner, name=name, with_deltas=with_deltas)
    session.writer.result(result, lambda writer: write_imported(writer, result), quiet=result.id or "")


def require_project(name: str | None, verb: str) -> str:
    """Return the given project. Raises UsageError when there is none."""
    if name is None:
        raise UsageError("No project given.", hint=f"Type: qfc projects {verb} --project OWNER/NAME")
    return name


def write_exported(writer: Writer, result: Exported) -> None:
    """Print what was exported."""
    if result.dry_run:
        writer.line(f"Would export {result.project} to {result.path}")
        return
    versions = f", {result.versions} earlier versions" if result.versions else ""
    package = f", a package of {result.package_files} files" if result.package_files else ""
    writer.line(f"{result.path}, {bytes_text(result.size_bytes)}")
    writer.line(f"{result.files} files{versions}{package}, {result.deltas} edits")


def write_imported(writer: Writer, result: Imported) -> None:
    """Print what was imported."""
    for step in result.steps if result.dry_run else ():
        writer.line(f"Would: {step}")
    if not result.dry_run:
        writer.line(f"Imported {result.project}: {result.id}")
        writer.line(f"{result.files} files, {result.collaborators} collaborators, {result.deltas} edits resent")
    if result.missing_people:
        writer.line(f"Collaborators without an account here: {', '.join(result.missing_people)}")


def write_list(writer: Writer, result: ProjectsList) -> None:
    """Print a table of projects."""
    if not result.projects:
        writer.line("No projects yet.")
        return
    rows = [
        (
            f"{project.owner}/{project.name}",
            project.status,
            project.files,
            bytes_text(project.size_bytes),
            time_text(project.data_last_updated_at)[:16],
            time_text(project.data_last_packaged_at)[:16],
        )
        for project in result.projects
    ]
    headers = ("PROJECT", "STATUS", "FILES", "SIZE", "UPDATED (UTC)", "PACKAGED (UTC)")
    writer.table(headers, rows, right=(2, 3), folded=(0, 4, 5))


def write_status(writer: Writer, result: ProjectStatus) -> None:
    """Print one project."""
    project = result.project
    pairs = [
        ("Project", f"{project.owner}/{project.name}"),
        ("Id", project.id),
        ("Status", project.status),
        ("Problem", project.problem),
        ("Locked", f"since {moment_text(project.locked_at)}" if project.locked_at else None),
        ("Files", project.files),
        ("Size", bytes_text(project.size_bytes)),
        ("Updated", moment_text(project.data_last_updated_at)),
        ("Packaged", moment_text(project.data_last_packaged_at)),
    ]
    facts(writer, pairs)
    write_jobs(writer, "Open jobs", result.open_jobs)
    write_jobs(writer, "Last jobs", result.last_jobs)
    if result.deltas:
        writer.line("\nField edits not applied")
        rows = [
            (
                short(delta.id),
                delta.status,
                delta.method,
                delta.created_by,
                f"{seconds_text(delta.age_s)} ago",
                delta.reason,
            )
            for delta in result.deltas
        ]
        writer.table(("DELTA", "STATUS", "METHOD", "BY", "SENT", "REASON"), rows, folded=(5,))


def write_jobs(writer: Writer, title: str, jobs: tuple[JobLine, ...]) -> None:
    """Print jobs below a title; nothing when there are none."""
    if not jobs:
        return
    writer.line(f"\n{title}")
    rows = [(short(job.id), job.status, job.type, f"{seconds_text(job.age_s)} ago", job.why or "") for job in jobs]
    writer.table(("JOB", "STATUS", "TYPE", "CREATED", "WHY"), rows, folded=(4,))
