"""TLS certificates: read, and judged in sentences."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from qfc.drivers.deployment.certificates import DeploymentCertificates, failure_line, from_pem, public_key
from qfc.drivers.deployment.self_signed import self_signed
from qfc.drivers.docker.containers import container
from qfc.drivers.docker.engine import Engine
from qfc.drivers.hosts.local import LocalHost
from qfc.errors import NotFoundError, RefusedError
from qfc.stack.certificates import Sighting, covers, judge, verdict
from qfc.stack.findings import Severity, unknown
from qfc.stack.model import Certificate, Verdict
from twins import MemoryClock

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOST = "field.example.org"
KEY, CA_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
GOOD = Certificate(HOST, (HOST,), "Authority", "1", NOW - timedelta(days=10), NOW + timedelta(days=80), "f1", chain=2)


def name(organization: str | None, common: str | None) -> x509.Name:
    given = {NameOID.ORGANIZATION_NAME: organization, NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in given.items() if value])


def pem(subject: x509.Name, issuer: x509.Name, *names: str) -> str:
    builder = x509.CertificateBuilder(
        issuer, subject, KEY.public_key(), 0xABCDEF, NOW - timedelta(days=1), NOW + timedelta(days=89)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
    return builder.sign(CA_KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_a_certificate_with_its_chain_is_read() -> None:
    issuer = name("Let's Encrypt", "R11")
    text = pem(name(None, HOST), issuer, HOST, "www.example.org")
    found = from_pem(text + pem(issuer, name("ISRG", "Root X1")))
    assert (found.subject, found.issuer, found.names) == (HOST, "Let's Encrypt R11", (HOST, "www.example.org"))
    assert (found.serial, found.chain, found.is_self_signed) == ("abcdef", 2, False)
    assert (found.not_before, found.not_after) == (NOW - timedelta(days=1), NOW + timedelta(days=89))
    assert found.fingerprint == x509.load_pem_x509_certificate(text.encode()).fingerprint(hashes.SHA256()).hex()


def test_a_certificate_that_is_signed_by_itself() -> None:
    found = from_pem(pem(name("Us", None), name("Us", None)))
    assert (found.subject, found.names, found.chain, found.is_self_signed) == ("Us", (), 1, True)


def test_a_subject_without_the_usual_parts_is_told_as_it_is() -> None:
    odd = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "CH")])
    assert from_pem(pem(odd, odd)).subject == "C=CH"


@pytest.mark.parametrize(
    "text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_pem(text)


def test_the_public_key_is_the_one_that_openssl_prints() -> None:
    wanted = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()
    assert public_key(pem(name(None, HOST), name(None, HOST))) == wanted


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "Saving debug log to /x\n- - -\nProcessing y\n  Detail: no answer at port 80\nHint: open it",
            "Detail: no answer",
        ),
        ("Saving debug log to /x\nno renewals were attempted", "no renewals were attempted"),
        ("", "it printed nothing"),
    ],
)
def test_what_certbot_says_of_a_failure(said: str, sentence: str) -> None:
    assert failure_line(said).startswith(sentence)


def seen(
    served: Certificate | None = GOOD,
    on_disk: Certificate | None = None,
    key_fits: bool | None = None,
    host: str = HOST,
) -> Sighting:
    return Sighting(host, NOW, served, "cert.pem" if on_disk else "", on_disk, key_fits)


def ids(sighting: Sighting) -> list[str]:
    return [one.id for one in judge(sighting)]


def test_a_good_certificate_has_no_problem() -> None:
    sighting = seen(on_disk=GOOD, key_fits=True)
    assert (judge(sighting), verdict(judge(sighting), sighting)) == ((), Verdict.OK)


@pytest.mark.parametrize(
    ("left", "how", "told"),
    [
        (timedelta(days=20), Verdict.OK, None),
        (timedelta(days=20, seconds=-1), Verdict.DEGRADED, "It expires in 20 days."),
        (timedelta(days=3), Verdict.DEGRADED, "It expires in 3 days."),
        (timedelta(days=3, seconds=-1), Verdict.DOWN, "It expires in 3 days."),
        (timedelta(hours=5), Verdict.DOWN, "It expires in 5 hours."),
        (timedelta(seconds=1), Verdict.DOWN, "It expires in less than 2 hours."),
        (timedelta(0), Verdict.DOWN, "It expired less than 2 hours ago."),
        (timedelta(seconds=-1), Verdict.DOWN, "It expired less than 2 hours ago."),
        (timedelta(hours=-23), Verdict.DOWN, "It expired 23 hours ago."),
        (timedelta(hours=-25), Verdict.DOWN, "It expired 25 hours ago."),
        (timedelta(days=-2), Verdict.DOWN, "It expired 2 days ago."),
    ],
)
def test_the_end_is_reported_from_the_moment_when_a_renewal_is_due(
    left: timedelta, how: Verdict, told: str | None
) -> None:
    sighting = seen(replace(GOOD, not_after=NOW + left))
    findings = judge(sighting)
    assert verdict(findings, sighting) is how
    assert [one.evidence for one in findings] == ([told] if told else [])


@pytest.mark.parametrize(
    ("served", "id", "told"),
    [
        (replace(GOOD, not_before=NOW + timedelta(days=1)), "B09-early", "It is not valid before 2026-05-05 12:00 UTC"),
        (replace(GOOD, not_before=NOW + timedelta(seconds=1)), "B09-early", "It is not valid before"),
        (replace(GOOD, names=("a.org", "b.org")), "B18-name", f"It is for a.org, b.org, not for {HOST}."),
        (replace(GOOD, names=(), subject="a.org"), "B18-name", f"It is for a.org, not for {HOST}."),
        (replace(GOOD, issuer="(STAGING) Let's Encrypt"), "B09-staging", "It is from Let's Encrypt's staging"),
        (replace(GOOD, trusted=False, problem="unknown issuer"), "B09-untrusted",
         "This machine does not trust it: unknown issuer."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_certificate_is_reported(served: Certificate, id: str, told: str) -> None:
    sighting = seen(served)
    (found,) = judge(sighting)
    assert (found.id, verdict([found], sighting)) == (id, Verdict.DEGRADED)
    assert found.evidence.startswith(told)
    assert found.fix


def test_a_certificate_is_good_from_its_first_second() -> None:
    assert judge(seen(replace(GOOD, not_before=NOW))) == ()


SELF_SIGNED = replace(GOOD, issuer=HOST, trusted=False, chain=1)
OF_MKCERT = replace(GOOD, issuer="mkcert anna@desk", trusted=False, chain=1)


@pytest.mark.parametrize(("served", "told"), [(SELF_SIGNED, "It is self-signed"), (OF_MKCERT, "It is from mkcert")])
def test_an_authority_of_ones_own_is_worth_knowing_and_no_fault(served: Certificate, told: str) -> None:
    sighting = seen(served)
    (found,) = judge(sighting)
    assert (found.id, found.severity, verdict([found], sighting)) == ("B09", Severity.INFO, Verdict.OK)
    assert found.evidence.startswith(told)


@pytest.mark.parametrize("served", [SELF_SIGNED, OF_MKCERT])
@pytest.mark.parametrize(
    ("change", "id"),
    [
        ({"names": ("other.example.org",)}, "B18-name"),
        ({"not_after": NOW - timedelta(hours=1)}, "B09-expired"),
        ({"not_before": NOW + timedelta(hours=1)}, "B09-early"),
    ],
)
def test_an_authority_of_ones_own_hides_no_other_fault(served: Certificate, change: dict[str, Any], id: str) -> None:
    sighting = seen(replace(served, **change))
    assert ids(sighting) == [id, "B09"]
    assert verdict(judge(sighting), sighting) is not Verdict.OK


@pytest.mark.parametrize(
    ("on_disk", "key_fits", "told"),
    [
        (replace(GOOD, fingerprint="f2"), True, ["B10"]),
        (replace(GOOD, chain=1), True, ["B09-chain"]),
        (replace(GOOD, chain=1, issuer=HOST), True, []),
        (GOOD, False, ["B18-key"]),
        (replace(GOOD, chain=1, fingerprint="f2"), False, ["B10", "B09-chain", "B18-key"]),
        (None, None, []),
    ],
)
def test_the_file_is_compared_with_what_is_served(
    on_disk: Certificate | None, key_fits: bool | None, told: list[str]
) -> None:
    assert ids(seen(on_disk=on_disk, key_fits=key_fits)) == told


def test_without_a_known_host_no_name_is_wrong() -> None:
    assert judge(seen(replace(GOOD, names=("a.org",)), host="")) == ()


def test_what_could_not_be_looked_at_is_never_ok() -> None:
    nothing = seen(None, on_disk=GOOD, key_fits=True)
    assert verdict(judge(nothing), nothing) is Verdict.UNKNOWN
    assert verdict([unknown("file", "The file cannot be read.")], seen()) is Verdict.DEGRADED


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        (["a.example.org"], "A.Example.org", True),
        (["*.example.org"], "a.example.org", True),
        (["*.Example.org"], "a.example.org", True),
        (["*.example.org"], "a.b.example.org", False),
        (["*.example.org"], "example.org", False),
        (["example.org"], "a.example.org", False),
        ([], "a.example.org", False),
    ],
)
def test_a_star_stands_for_one_part(names: list[str], host: str, covered: bool) -> None:
    assert covers(names, host) is covered


def nginx_that_does_not_run(folder: Path, certificate: str, key: str) -> DeploymentCertificates:
    """Return the certificates of a container that has a folder as /etc/nginx/certs."""
    document: dict[str, Any] = {
        "Id": "n", "Name": "/nginx-1", "Image": "sha256:1", "Created": "2026-01-01T00:00:00Z", "RestartCount": 9,
        "State": {"Status": "restarting", "Pid": 0, "ExitCode": 1, "OOMKilled": False, "Error": "",
                  "StartedAt": "2026-01-01T00:00:00Z", "FinishedAt": "2026-01-01T00:00:00Z"},
        "Config": {"Image": "nginx", "Tty": False, "Labels": {},
                   "Env": [f"QFIELDCLOUD_TLS_CERT={certificate}", f"QFIELDCLOUD_TLS_KEY={key}"]},
        "HostConfig": {"RestartPolicy": {"Name": "always"}, "NetworkMode": "bridge"},
        "NetworkSettings": {"Ports": {}, "Networks": {}}, "LogPath": "",
        "Mounts": [{"Type": "bind", "Source": str(folder), "Destination": "/etc/nginx/certs"}],
    }  # fmt: skip
    found = container(document)
    return DeploymentCertificates(Engine(LocalHost()), MemoryClock(), lambda: found, lambda: found, list)


def test_a_pair_is_put_where_an_nginx_that_does_not_run_looks_for_it(tmp_path: Path) -> None:
    certificates = nginx_that_does_not_run(tmp_path, "/etc/nginx/certs/a.pem", "/etc/nginx/certs/a-key.pem")
    with pytest.raises(NotFoundError, match=r"no /etc/nginx/certs/a\.pem"):
        certificates.on_disk()
    certificates.store(*self_signed(HOST, NOW, (0, 90)))
    path, read = certificates.on_disk()
    assert (path, read.names) == ("/etc/nginx/certs/a.pem", (HOST,))
    assert certificates.key_fits()
    assert stat.S_IMODE((tmp_path / "a-key.pem").stat().st_mode) == 0o600
    before = (tmp_path / "a-key.pem").read_bytes()
    with pytest.raises(RefusedError, match="not overwritten"):
        certificates.store(*self_signed(HOST, NOW, (0, 90)))
    assert (tmp_path / "a-key.pem").read_bytes() == before


def test_what_certbot_writes_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "live/field").mkdir(parents=True)
    live = "/etc/nginx/certs/live/field"
    with pytest.raises(RefusedError, match="is written by certbot"):
        nginx_that_does_not_run(tmp_path, f"{live}/fullchain.pem", f"{live}/privkey.pem").store(b"", b"")
    assert list((tmp_path / "live/field").iterdir()) == []
