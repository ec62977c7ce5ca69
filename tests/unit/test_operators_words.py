"""Commands say what they found out: hidden statements, images of another release, a certbot without work, repairs."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from checks_world import YES, found, healthy
from qfc.cli.certs import UNMANAGED, write_renewed
from qfc.cli.output import Writer
from qfc.operations.certs import certs_renew
from qfc.operations.guard import Options
from qfc.operations.image import image_load, image_save
from qfc.operations.logs import LogQuery, Statements, logs
from qfc.stack.model import LogLine, Revision
from twins import MemoryPorts, Release
from twins.site import BuiltImage

#: Lines of a database of v26.24, as they are parsed.
DATABASE = (
    ("INFO", 'statement: UPDATE "core_job" SET "status" = \'started\''),
    ("", '\t WHERE "core_job"."id" = 1'),
    ("INFO", "execute <unnamed>: SELECT 1"),
    ("DETAIL", "parameters: $1 = '7'"),
    ("INFO", "execute s1: SELECT 1"),
    ("DETAIL", "Parameters: $1 = 'a token'"),
    ("INFO", "checkpoint starting: time"),
    ("ERROR", 'duplicate key value violates unique constraint "core_user_username_key"'),
    ("DETAIL", "Key (username)=(anna) already exists."),
    ("STATEMENT", "INSERT INTO core_user VALUES (1)"),
)
SHOWN = [text for level, text in DATABASE[6:]]


@pytest.fixture
def ports() -> MemoryPorts:
    """A deployment whose database logs statements, and whose application wrote a line before them."""
    ports, _ = healthy("compose")
    at = ports.clock.now() - timedelta(minutes=10)
    ports.runtime.lines.clear()
    ports.runtime.lines.append(LogLine("app", "app-1", at, "INFO", "ready"))
    for number, (level, text) in enumerate(DATABASE):
        ports.runtime.lines.append(LogLine("db", "db-1", at + timedelta(seconds=number + 1), level, text))
    return ports


def texts(ports: MemoryPorts, query: LogQuery, hidden: Statements | None = None) -> list[str]:
    return [line.text for line in logs(ports, query, hidden)]


def test_statements_of_the_database_are_counted_and_not_shown(ports: MemoryPorts) -> None:
    hidden = Statements()
    assert texts(ports, LogQuery(), hidden) == ["ready", *SHOWN]
    assert hidden.hidden == 3


def test_statements_take_no_place_from_other_lines(ports: MemoryPorts) -> None:
    assert texts(ports, LogQuery(lines=5)) == ["ready", *SHOWN]


def test_statements_are_shown_on_request(ports: MemoryPorts) -> None:
    hidden = Statements()
    assert texts(ports, LogQuery(statements=True), hidden) == ["ready", *(text for _, text in DATABASE)]
    assert hidden.hidden == 0


def test_a_search_does_not_show_them_either(ports: MemoryPorts) -> None:
    assert texts(ports, LogQuery(grep="core_user")) == [DATABASE[7][1], DATABASE[9][1]]


def test_an_image_of_another_release_is_named_when_it_is_loaded() -> None:
    ports, _ = healthy("compose")
    site = ports.deployment.site
    site.extra["qgis"] = "memory-qgis"
    site.build("qgis", ports.clock.now())
    site.env += "QFIELDCLOUD_QGIS_IMAGE_NAME=memory-qgis\n"
    image_save(ports, YES)
    assert image_load(ports, None, YES).warnings == ()
    site.releases = {**site.releases, "c" * 40: Release(Revision("c" * 40, "v2"))}
    for service in ("app", "worker_wrapper"):
        site.images[f"sha256:{service}-2"] = BuiltImage(service, "c" * 40, ports.clock.now())
        site.names[site.name_of(service)] = f"sha256:{service}-2"
    (warning,) = image_load(ports, None, YES).warnings
    assert warning == "memory-qgis: it is of release v1, app of v2 (D03)"
    assert ports.audit.entries()[0].result == f"loaded, but {warning}"


NOTHING = "Saving debug log to /var/log/letsencrypt/letsencrypt.log\nNo renewals were attempted."
NOT_DUE = "These certificates are not due for renewal yet:\n  /etc/letsencrypt/live/x\nNo renewals were attempted."


@pytest.mark.parametrize(("said", "unmanaged"), [(NOTHING, True), (NOT_DUE, False)])
def test_a_certbot_that_manages_nothing_is_told(said: str, unmanaged: bool) -> None:
    ports, _ = healthy("compose")
    ports.deployment.certificates.certbot_says = said
    result = certs_renew(ports, YES)
    out = io.StringIO()
    write_renewed(Writer(as_json=False, quiet=False, out=out), result)
    assert result.unmanaged is unmanaged
    assert " ".join(out.getvalue().split()).startswith(UNMANAGED if unmanaged else "The certificate has not changed.")


def test_the_audit_log_names_what_was_repaired() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "DEBUG=1\nEMAIL_USE_TLS=1\n"
    found(ports, fix=True, options=Options(yes=True))
    assert ports.audit.entries()[0].result == "2 of 2 findings repaired: A02, H06-tls"
