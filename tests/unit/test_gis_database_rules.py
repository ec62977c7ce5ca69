"""Which servers layers may be in, with a resolver of ours: no packet is sent anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from qfc_node.box.work import Answer
from qfc_node.gis import elsewhere
from qfc_node.gis.database_rules import DatabaseRules, ForbiddenServerError, addresses
from qfc_node.gis.deltas.editing import RefusedError
from qfc_node.gis.deltas.editors.postgres_connection import connect
from qfc_node.gis.deltas.editors.postgres_login import hidden_variables, login_of
from qfc_node.worker.answers import as_permitted

OWN = [(network, 5432) for network in ("127.0.0.0/8", "0.0.0.0/32", "::1/128")]
PUBLIC = "93.184.215.14"


def names(**known: Sequence[str]):
    """A resolver that knows these names (a dot is two underscores), and addresses themselves."""
    table = {name.replace("__", "."): list(found) for name, found in known.items()}

    def resolver(host: str, _port: int) -> Sequence[str]:
        if host not in table and not (host[:1].isdigit() or ":" in host):
            raise OSError("unknown name")
        return table.get(host, [host])

    return resolver


def test_a_public_server_is_reached_by_the_address_that_was_checked() -> None:
    assert addresses("db.example", "5433", DatabaseRules(), names(db__example=[PUBLIC])) == ([PUBLIC], 5433)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *("::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "64:ff9b::7f00:1", "2002:7f00:1::"),
        *("224.0.0.1", "255.255.255.255", "ff02::1", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
    ],
)
def test_private_and_special_addresses_are_refused(address: str) -> None:
    for host, resolver in ((address, names()), ("db.example", names(db__example=[address]))):
        with pytest.raises(ForbiddenServerError, match="QFC_NODE_DATABASE_HOSTS"):
            addresses(host, "", DatabaseRules(), resolver)


def test_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(ForbiddenServerError):
        addresses("db.example", "", DatabaseRules(), names(db__example=[PUBLIC, "10.0.0.1"]))


@pytest.mark.parametrize(
    ("entry", "host", "port", "is_allowed"),
    [
        ("10.0.0.0/8", "10.1.2.3", "", True),
        ("10.0.0.0/8", "93.184.215.14", "", True),
        ("10.0.0.0/8", "192.168.0.1", "", False),
        ("db.lan", "db.lan", "", True),
        ("DB.lan.", "db.lan", "5432", True),
        ("db.lan:5433", "db.lan", "5432", False),
        ("db.lan:5433", "db.lan", "5433", True),
        ("127.0.0.1:5433", "127.0.0.1", "5433", True),
        ("127.0.0.1:5433", "127.0.0.1", "22", False),
        ("[::1]:5433", "::1", "5433", True),
        ("::1", "::1", "5433", True),
        ("other.lan", "db.lan", "", False),
    ],
)
def test_the_operators_list(entry: str, host: str, port: str, is_allowed: bool) -> None:
    rules = DatabaseRules(allowed=(entry,))
    resolver = names(db__lan=["10.9.9.9"])
    if is_allowed:
        assert addresses(host, port, rules, resolver)[0]
    else:
        with pytest.raises(ForbiddenServerError):
            addresses(host, port, rules, resolver)


def test_the_nodes_own_server_is_refused_without_an_entry_of_its_own() -> None:
    allowed = ("0.0.0.0/0", "::/0", "0.0.0.0/0:5432", "127.0.0.0/8:5432", "127.0.0.1", "127.0.0.1:5433", "db.lan")
    rules = DatabaseRules(allowed=allowed, own_servers=(*OWN, ("10.5.5.5", 6000)))
    for host in ("127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::ffff:127.0.0.1"):
        with pytest.raises(ForbiddenServerError, match="with the port 5432 to QFC_NODE_DATABASE_HOSTS"):
            addresses(host, "5432", rules, names())
    with pytest.raises(ForbiddenServerError, match="another database of that server, with another login"):
        addresses("db.lan", "6000", rules, names(db__lan=["10.5.5.5"]))
    assert addresses("127.0.0.1", "5433", rules, names()) == (["127.0.0.1"], 5433)


def test_a_public_server_with_the_nodes_own_database_needs_an_entry_too() -> None:
    with pytest.raises(ForbiddenServerError, match="own database"):
        addresses("db.example", "", DatabaseRules(own_servers=((PUBLIC, 5432),)), names(db__example=[PUBLIC]))


OWN_LAN = DatabaseRules(
    allowed=("db.lan:5432",), own_servers=(("10.5.5.5", 5432),), own_database="qfc" + "ü" * 30, own_user="node"
)


def own_login(folder: Path, database: str, user: str, host: str = "db.lan") -> dict[str, object]:
    asked = {"host": host, "dbname": database, "user": user}
    return login_of(asked, OWN_LAN, folder, names(db__lan=["10.5.5.5"], db__example=[PUBLIC]))


def test_another_database_of_the_nodes_own_server(tmp_path: Path) -> None:
    assert own_login(tmp_path, "field", "ada")["hostaddr"] == "10.5.5.5"


@pytest.mark.parametrize(
    ("database", "user", "complaint"),
    [
        (OWN_LAN.own_database, "ada", "own database"),
        (OWN_LAN.own_database + "more", "ada", "own database"),  # PostgreSQL reads 63 bytes of it
        ("field", "node", "login of the node itself"),
    ],
)
def test_the_nodes_own_database_and_login_are_refused_whatever_the_list_says(
    database: str, user: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError, match=complaint):
        own_login(tmp_path, database, user)
    assert own_login(tmp_path, database, user, "db.example")["hostaddr"] == PUBLIC


@pytest.mark.parametrize(
    "host",
    [
        "",
        "/var/run/postgresql",
        "@abstract",
        "\\\\pipe",
        "a,b",
        "127.0.0.1,10.0.0.1",
        "a b",
        "a'b",
        "a=b",
        "[::1]",
        "ä" * 300,
    ],
)
def test_what_is_not_the_name_of_one_server(host: str) -> None:
    with pytest.raises(ForbiddenServerError):
        addresses(host, "", DatabaseRules(allowed=("0.0.0.0/0", "::/0")), lambda *_: [PUBLIC])


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "5432,5433", "٥٤٣٢"])
def test_what_is_not_a_port(port: str) -> None:
    with pytest.raises(ForbiddenServerError, match="not a port"):
        addresses("db.example", port, DatabaseRules(), lambda *_: [PUBLIC])


def test_the_plan_may_forbid_databases() -> None:
    with pytest.raises(ForbiddenServerError, match="plan"):
        addresses("db.example", "", DatabaseRules(permitted=False), lambda *_: [PUBLIC])


def test_only_a_job_with_a_right_to_databases_asks_for_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every such job would run twice."""
    monkeypatch.setitem(elsewhere._permission, "given", False)
    with pytest.raises(RefusedError, match="plan"):
        connect({"host": "db.example"}, DatabaseRules(permitted=False), tmp_path)
    with pytest.raises(elsewhere.NetworkNeededError):
        connect({"host": "db.example"}, DatabaseRules(), tmp_path)


def test_a_job_that_asks_without_a_right_has_failed() -> None:
    asks, done = Answer("needs_network"), Answer("done")
    refused = as_permitted(asks, DatabaseRules(permitted=False))
    assert (refused.kind, "plan of the project's owner" in refused.error) == ("project_error", True)
    assert as_permitted(asks, DatabaseRules()) == asks
    assert as_permitted(done, DatabaseRules(permitted=False)) == done


def test_rules_travel_as_text() -> None:
    rules = DatabaseRules(False, ("10.0.0.0/8", "db.lan:5433"), (("127.0.0.0/8", 5432),), "qfc", "node")
    assert DatabaseRules.from_text(rules.to_text()) == rules
    assert DatabaseRules.from_text("") == DatabaseRules()


def login(folder: Path, **parameters: str) -> dict[str, object]:
    asked = {"host": "db.example", "dbname": "field", "user": "ada", **parameters}
    return login_of(asked, DatabaseRules(), folder, names(db__example=[PUBLIC]))


def test_a_login_names_address_and_everything_that_libpq_would_look_up(tmp_path: Path) -> None:
    found = login(tmp_path, password="pw")
    assert (found["host"], found["hostaddr"], found["port"]) == ("db.example", PUBLIC, "5432")
    assert {"passfile", "sslcert", "sslkey", "sslrootcert", "options", "gssencmode"} <= found.keys()
    assert "service" not in found


def test_a_second_lookup_is_not_made(tmp_path: Path) -> None:
    """A name that changes its address between check and connection gains nothing."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    found = login_of(
        {"host": "db.example", "dbname": "d", "user": "u"}, DatabaseRules(), tmp_path, lambda *_: next(answers)
    )
    assert found["hostaddr"] == PUBLIC


@pytest.mark.parametrize(
    "parameters",
    [
        {"hostaddr": "127.0.0.1"},
        {"host": "/tmp", "hostaddr": PUBLIC},
        {"host": "a,b", "hostaddr": PUBLIC},
        {"dbname": "postgresql://127.0.0.1/x"},
        {"dbname": "host=127.0.0.1 dbname=x"},
        {"dbname": ""},
        {"user": ""},
        {"sslmode": "wrong"},
        {"sslrootcert": "/etc/passwd"},
        {"sslrootcert": "../secret.pem"},
    ],
)
def test_logins_that_are_refused(parameters: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "secret.pem").write_text("x")
    with pytest.raises(RefusedError):
        login(tmp_path / "files", **parameters)


def test_a_certificate_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    assert login(tmp_path, sslrootcert="ca.pem")["sslrootcert"] == str(tmp_path / "ca.pem")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write the project's services."""

    def write(text: str) -> None:
        (tmp_path / "services").write_text(text)
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))

    return write


def test_a_service_completes_a_login(service, tmp_path: Path) -> None:
    service("# ours\n[other]\nhost=10.0.0.1\n[field]\nhost = db.example\nport=5433\ndbname=field\nuser=ada\n[more]\n")
    found = login_of({"service": "field"}, DatabaseRules(), tmp_path, names(db__example=[PUBLIC]))
    assert (found["hostaddr"], found["port"], found["dbname"], found["user"]) == (PUBLIC, "5433", "field", "ada")


@pytest.mark.parametrize(
    "lines",
    [
        *("host=/tmp", "host=10.0.0.1", "hostaddr=127.0.0.1", "passfile=/etc/passwd", "options=-c x=y", "sslkey=/k"),
        *("krbsrvname=x", "service=other", "sslcert=/c", "sslrootcert=/etc/passwd"),
    ],
)
def test_a_service_may_not_say_more_than_a_layer(lines: str, service, tmp_path: Path) -> None:
    service(f"[field]\nhost=db.example\ndbname=d\nuser=u\n{lines}\n")
    with pytest.raises(RefusedError):
        login_of({"service": "field"}, DatabaseRules(), tmp_path, names(db__example=[PUBLIC]))


def test_variables_complete_a_login_and_are_hidden_from_libpq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name, value in {"PGPASSWORD": "pw", "PGOPTIONS": "-c x=y", "PGHOST": "/tmp", "PGHOSTADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    found = login(tmp_path)
    assert (found["password"], found["hostaddr"], found["options"]) == ("pw", PUBLIC, "")
    with hidden_variables():
        assert not [name for name in os.environ if name.startswith("PG")]
    assert os.environ["PGHOST"] == "/tmp"
