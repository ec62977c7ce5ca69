"""`qfc image`: the QGIS images that official workers start for each job."""

from __future__ import annotations

import click

from ..operations.image import (
    KEEP,
    ImageChanged,
    ImageStatus,
    QgisImage,
    image_load,
    image_rebuild,
    image_save,
    image_status,
)
from ..operations.queue_change import count
from ..stack.model import Verdict
from .output import Writer, bytes_text
from .session import Session, pass_session
from .tables import paragraph


@click.group("image")
def command() -> None:
    """Check, save, load and rebuild the QGIS images that official workers start for each job."""


@command.command("status")
@pass_session
def status_command(session: Session) -> int:
    """Show whether each image is present, its age, size and release; list saved files and failed jobs."""
    result = image_status(session.ports)
    session.writer.result(result, lambda writer: _write(writer, result), quiet=result.verdict)
    return 0 if result.verdict is Verdict.OK else 1


@command.command("save")
@click.option("--keep", default=KEEP, show_default=True, type=click.IntRange(1), help="Number of saved files to keep.")
@pass_session
def save_command(session: Session, keep: int) -> None:
    """Save the images to a compressed file on the host, with a checksum."""
    write_changed(session, image_save(session.ports, session.options, keep=keep))


@command.command("load")
@click.argument("name", required=False, metavar="FILE")
@pass_session
def load_command(session: Session, name: str | None) -> None:
    """Load saved images from FILE, by default the newest; then retry the jobs that failed without them."""
    write_changed(session, image_load(session.ports, name, session.options))


@command.command("rebuild")
@click.option("--pull", is_flag=True, help="Pull the images instead of building them.")
@click.option("--no-cache", "fresh", is_flag=True, help="Build without any cache; takes long.")
@pass_session
def rebuild_command(session: Session, pull: bool, fresh: bool) -> None:
    """Rebuild or pull the images; then retry the jobs that failed without them."""
    write_changed(session, image_rebuild(session.ports, session.options, pull=pull, fresh=fresh))


def _write(writer: Writer, result: ImageStatus) -> None:
    if result.note:
        writer.line(result.note)
        return
    rows = [
        (one.name, "present" if one.present else "missing", _age(one), bytes_text(one.size_bytes), one.release)
        for one in result.images
    ]
    writer.table(("IMAGE", "STATE", "AGE", "SIZE", "RELEASE"), rows, right=(2, 3), folded=(0,))
    for one in result.images:
        if one.problem:
            paragraph(writer, f"{one.name}: {one.problem}")
    for saved in result.saved:
        writer.line(f"Saved: {saved.name}, {bytes_text(saved.size_bytes)}")
    if result.failed_jobs:
        writer.line(f"{count(len(result.failed_jobs), 'job')} failed without the image and can be retried.")


def _age(image: QgisImage) -> str | None:
    return None if image.age_days is None else f"{image.age_days:.0f} days"


def write_changed(session: Session, result: ImageChanged) -> None:
    """Write the result of a change of images."""

    def human(writer: Writer) -> None:
        if result.dry_run:
            for step in result.steps:
                writer.line(f"Would: {step}")
            return
        writer.line(", ".join(result.images))
        if result.size_bytes is not None:
            writer.line(f"Saved to {result.path}, {bytes_text(result.size_bytes)}")
        if result.removed:
            writer.line(f"Removed: {', '.join(result.removed)}")
        for warning in result.warnings:
            paragraph(writer, f"{warning}. Bring all images to one release: qfc deploy --tag TAG")
        if result.retried:
            writer.line(f"Retried: {', '.join(result.retried)}")

    session.writer.result(result, human, quiet="\n".join(result.images))
