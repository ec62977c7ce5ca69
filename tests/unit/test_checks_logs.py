"""Log lines that mean a problem only under a condition: many of them, of a service that is down, of our own server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from checks_world import found, healthy, ids, the
from known_lines import WRITTEN
from qfc.checks.logs import LOGS, LogPattern
from qfc.checks.logs_login import LOGS_OF_LOGINS
from qfc.checks.logs_start import LOGS_OF_STARTS
from qfc.stack.findings import Result
from qfc.stack.model import Instance, LogLine, ServiceState, StoreFacts
from repair_world import service
from twins import MemoryPorts

#: Lines that are tested here, with their number, by check.
UNDER_CONDITIONS = {
    "I02": ("app", 'psycopg2.errors.UndefinedTable: relation "project_project" does not exist', 1),
    "A14-log": ("app", "exec /entrypoint.sh: exec format error", 1),
    "B14-closed": ("nginx", "*7 upstream prematurely closed connection while reading response header from upstream", 5),
    "B01-log": (
        "app",
        "Forbidden (Origin checking failed - http://memory does not match any trusted origins.): /a/",
        1,
    ),
    "B01-referer": ("app", "Forbidden (Referer checking failed - no Referer.): /accounts/login/", 5),
    "C02-log": ("minio", "FATAL Unable to validate credentials inherited from the shell environment", 1),
    "D08-client": ("ofelia", "Error response from daemon: client version 1.39 is too old.", 1),
    "G05-staff": ("nginx", "GET 302 /accounts/login/?next=/admin/ 0.010 s", 10),
}
#: Services that have to be down for it.
DOWN = {"A14-log": "app", "C02-log": "minio", "D08-client": "ofelia"}


def wrote(ports: MemoryPorts, service: str, text: str, times: int = 1) -> None:
    at = ports.clock.now()
    ports.runtime.lines += [LogLine(service, f"{service}-1", at, "ERROR", text)] * times


def down(ports: MemoryPorts, name: str) -> None:
    """Let a service keep restarting."""
    service(ports, name, runs=False)
    known = ports.runtime.services

    def services(**_: bool) -> tuple[object, ...]:
        others = [one for one in known() if one.name != name]
        instance = Instance(f"{name}-1", ServiceState.RESTARTING, restarts=3)
        like = replace(known()[0], name=name, state=ServiceState.RESTARTING, instances=(instance,))
        return (*others, like)

    ports.runtime.services = services  # pyright: ignore[reportAttributeAccessIssue]


def logged(id: str, *, fewer: int = 0) -> MemoryPorts:
    ports, _ = healthy("compose")
    name, text, times = UNDER_CONDITIONS[id]
    if id in DOWN:
        down(ports, DOWN[id])
    wrote(ports, name, text, times - fewer)
    return ports


def test_every_known_line_has_a_test() -> None:
    known = {check.id for check in (*LOGS, *LOGS_OF_STARTS, *LOGS_OF_LOGINS) if isinstance(check, LogPattern)}
    assert known == WRITTEN.keys() | UNDER_CONDITIONS.keys()


@pytest.mark.parametrize("id", UNDER_CONDITIONS)
def test_a_line_is_found_under_its_condition(id: str) -> None:
    ports = logged(id)
    ports.directory.tables["core_project"] = 3
    assert the(found(ports), id).result is Result.FOUND


def test_a_store_that_nobody_uses_may_be_down() -> None:
    ports = logged("C02-log")
    ports.deployment.inspection.environment.known_stores = (StoreFacts("default", "s3", "https://s3.example.org"),)
    assert "C02-log" not in ids(found(ports))


@pytest.mark.parametrize("id", [id for id, (_, _, times) in UNDER_CONDITIONS.items() if times > 1])
def test_fewer_lines_are_no_problem(id: str) -> None:
    assert id not in ids(found(logged(id, fewer=1)))


@pytest.mark.parametrize("id", DOWN)
def test_a_line_of_a_service_that_stays_up_is_old(id: str) -> None:
    ports, _ = healthy("compose")
    name, text, _ = UNDER_CONDITIONS[id]
    service(ports, name)
    wrote(ports, name, text)
    assert id not in ids(found(ports))


def test_a_form_from_another_site_is_refused_with_good_reason() -> None:
    ports, _ = healthy("compose")
    wrote(ports, "app", UNDER_CONDITIONS["B01-log"][1].replace("memory", "evil.example"))
    assert found(ports).findings == ()


def test_a_table_that_does_not_exist_yet_is_no_failed_rename() -> None:
    """Before the first migrations, only the check of the new database may say what to do."""
    ports = logged("I02")
    assert ports.directory.rows_of("core_project") is None
    ports.directory.migrations = ()
    assert "I02" not in ids(found(ports))


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: could not convert string to float: ''",
        "qfieldcloud.settings_utils.ConfigValidationError: Expected a string that can be parsed to boolean"
        " (i.e. '0' or '1'), but got ''!",
        "qfieldcloud.settings_utils.ConfigValidationError: Envvar SOCIALACCOUNT_PROVIDERS should be a parsable JSON"
        " string!",
        "OSError: No translation files found for default language xx.",
        "ValueError: Incorrect timezone setting: Nowhere/X",
    ],
)
def test_values_that_end_the_start(text: str) -> None:
    ports, _ = healthy("compose")
    wrote(ports, "app", text)
    assert ids(found(ports)) == ["A12-start"]


def test_settings_of_the_admin_that_have_no_table_need_migrations() -> None:
    """The table was renamed in 2026: the application is newer than the database."""
    ports, _ = healthy("compose")
    wrote(ports, "app", 'psycopg2.errors.UndefinedTable: relation "constance_constance" does not exist')
    made = found(ports)
    assert ids(made) == ["A13-log"]
    assert "qfc db migrate" in the(made, "A13-log").fix


def test_an_error_of_a_request_is_no_value_of_env() -> None:
    ports, _ = healthy("compose")
    wrote(
        ports,
        "app",
        "Internal Server Error: /api/v1/\nTraceback\nValueError: invalid literal for int() with base 10: 'x'",
    )
    assert found(ports).findings == ()


def test_dh_parameters_that_nginx_cannot_open() -> None:
    ports, _ = healthy("compose")
    wrote(
        ports, "nginx", '[emerg] 1#1: BIO_new_file("/etc/nginx/dhparams/ssl-dhparams.pem") failed (SSL: error:80000002)'
    )
    assert ids(found(ports)) == ["B18-log"]


def test_static_files_are_collected_and_read_again() -> None:
    ports, _ = healthy("compose")
    wrote(ports, *WRITTEN["A03-log"])
    ran: list[str] = []
    known: Callable[..., str] = ports.runtime.execute_with

    def execute(name: str, argv: Sequence[str], stdin: bytes) -> str:
        ran.append(argv[0])
        if argv[0] != "collectstatic":
            return known(name, argv, stdin)
        ports.clock.moment += timedelta(minutes=1)
        return ""

    ports.runtime.execute_with = execute
    assert the(found(ports, fix=True), "A03-log").result is Result.FIXED
    assert "collectstatic" in ran
