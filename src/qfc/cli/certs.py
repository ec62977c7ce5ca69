"""`qfc certs`: the TLS certificate of a deployment."""

from __future__ import annotations

from typing import Any

import click

from ..operations.certs import CertsStatus, Renewed, certs_renew, certs_status
from ..stack.findings import Finding
from ..stack.model import Certificate
from .output import Writer, moment_text, plain, time_text
from .session import Session, pass_session
from .tables import facts, paragraph

UNMANAGED = (
    "certbot manages no certificate of this deployment, so nothing was renewed. Replace the file of"
    " QFIELDCLOUD_TLS_CERT by your own means, then type: qfc certs renew --reload-only"
)


@click.group("certs")
def command() -> None:
    """Check and renew the TLS certificate that clients see."""


@command.command("status")
@pass_session
def status_command(session: Session) -> int:
    """Compare the served certificate with its file; check name, chain and days left. Exit code 1 on any problem."""
    result = certs_status(session.ports)
    session.writer.result(document(result), lambda writer: _write(writer, result), quiet=result.verdict)
    return 0 if result.ok else 1


@command.command("renew")
@click.option("--force", is_flag=True, help="Renew even if not due. Authorities allow only a few renewals a week.")
@click.option("--reload-only", is_flag=True, help="Do not renew; only make nginx reload the file.")
@pass_session
def renew_command(session: Session, force: bool, reload_only: bool) -> None:
    """Renew the certificate with the deployment's certbot, test nginx's configuration, then reload nginx."""
    result = certs_renew(session.ports, session.options, force=force, reload_only=reload_only)
    session.writer.result(result, lambda writer: write_renewed(writer, result), quiet=moment_text(result.not_after))


def document(result: CertsStatus) -> dict[str, Any]:
    """Return the status as `--json` prints it."""
    problems = [_sentence(one) for one in result.findings if not one.is_well]
    remarks = [_sentence(one) for one in result.findings if one.is_well]
    judged = {"verdict": result.verdict, "problems": problems, "remarks": remarks}
    return {**plain(result), "judged": judged}


def _sentence(finding: Finding) -> str:
    return f"{finding.evidence} {finding.fix}".strip()


def _write(writer: Writer, result: CertsStatus) -> None:
    writer.line(f"{result.host}: {writer.paint(result.verdict)}")
    shown = result.served or result.on_disk
    if shown is not None:
        facts(writer, _facts(shown, result))
    for finding in result.findings:
        paragraph(writer, _sentence(finding))


def _facts(shown: Certificate, result: CertsStatus) -> list[tuple[str, object]]:
    same = result.on_disk is not None and result.served is not None
    return [
        ("For", ", ".join(shown.names) or shown.subject),
        ("Issuer", "itself" if shown.is_self_signed else shown.issuer),
        (
            "Valid",
            f"{time_text(shown.not_before)[:10]} to {time_text(shown.not_after)[:10]}, {result.days_left} days left",
        ),
        ("Serial", shown.serial),
        ("File", f"{result.path} in nginx" if result.path else None),
        ("Served", ("same as the file" if _is_same(result) else "differs from the file") if same else None),
        ("Key", {True: "fits", False: "does not fit", None: None}[result.key_fits]),
    ]


def _is_same(result: CertsStatus) -> bool:
    assert result.served and result.on_disk
    return result.served.fingerprint == result.on_disk.fingerprint


def write_renewed(writer: Writer, result: Renewed) -> None:
    if result.dry_run:
        for step in result.steps:
            writer.line(f"Would: {step}")
        return
    if result.unmanaged:
        paragraph(writer, UNMANAGED)
        return
    writer.line("A new certificate is being served." if result.changed else "The certificate has not changed.")
    if result.not_after:
        writer.line(f"It is valid until {time_text(result.not_after)[:10]}.")
