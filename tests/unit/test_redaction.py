"""Secrets are removed from texts completely: at their borders, in every spelling, in any order."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.drivers import commands
from qfc.drivers.docker.engine import error_line
from qfc.errors import CommandError
from qfc.stack.model import CommandResult
from qfc.stack.redaction import (
    ANYWHERE,
    HIDDEN,
    SHORTEST,
    Redactor,
    hosts_of,
    is_shareable,
    secrets_of,
    shown,
    without_secrets,
    without_traces,
)

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nq83vEjRWeJq83vEj\n-----END RSA PRIVATE KEY-----"


def hidden(text: str, *secrets: str, **names: list[str]) -> str:
    return Redactor(secrets, names)(text)


# The three bugs that slipped through.


def test_of_json_that_cannot_be_parsed_everything_is_a_secret() -> None:
    text = '{"default": {"secret_key": "deep-in-json"'
    assert text in secrets_of({"STORAGES": text})
    assert hidden(f"refused: {text}", *secrets_of({"STORAGES": text})) == f"refused: {HIDDEN}"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["ann", "anna", "anna-lena"], "[person-1], [person-2] and [person-3]"),
        (["anna-lena", "anna", "ann"], "[person-3], [person-2] and [person-1]"),
    ],
)
def test_a_longer_name_comes_before_one_that_is_part_of_it(names: list[str], expected: str) -> None:
    assert hidden("ann, anna and anna-lena", person=names) == expected


@pytest.mark.parametrize("secrets", [["horse", "horse-battery"], ["horse-battery", "horse"]])
def test_a_secret_that_another_one_begins_with_leaves_nothing_of_it(secrets: list[str]) -> None:
    assert hidden("horse-battery horse", *secrets) == f"{HIDDEN} {HIDDEN}"


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "session_id", "SESSIONID", "JSESSIONID"])
@pytest.mark.parametrize("separator", ["=", ": ", '": "', "' : '"])
def test_sessions_are_hidden(name: str, separator: str) -> None:
    assert "abc" not in hidden(f"got {name}{separator}abc")


# Similar cases: names with values.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password": "x y", "n": 1}', '{"password": [hidden], "n": 1}'),
        (r'{"password": "x\" y", "n": 1}', '{"password": [hidden], "n": 1}'),
        ("{'password': 'x y', 'n': 1}", "{'password': [hidden], 'n': 1}"),
        (r'"{\"password\": \"x\"', r'"{\"password\": [hidden]'),
        ('"password": "cut off in the mid', '"password": [hidden]'),
        ("password=a,b;c d", "password=[hidden] d"),
        ("SECRET_KEY=abc", "SECRET_KEY=[hidden]"),
        ("AWS_SECRET_ACCESS_KEY: abc", "AWS_SECRET_ACCESS_KEY: [hidden]"),
        ("secret_key => abc", "secret_key => [hidden]"),
        ("passphrase=abc", "passphrase=[hidden]"),
        ("GET /?token=abc&page=2", "GET /?token=[hidden]&page=2"),
        ("[('token', 'abc'), ('n', 1)]", "[('token', [hidden]), ('n', 1)]"),
        ("mysql --password hunter2 --quiet", "mysql --password [hidden] --quiet"),
        ("createuser --password-stdin --username anna", "createuser --password-stdin --username anna"),
        ("password authentication failed for user", "password authentication failed for user"),
        ("the token has expired", "the token has expired"),
    ],
)
def test_values_of_secret_names(text: str, expected: str) -> None:
    assert hidden(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Basic YTpi", "Authorization: [hidden]"),
        ("proxy-authorization: Digest a, b", "proxy-authorization: [hidden]"),
        ("{'Authorization': 'Token abc', 'x': 1}", "{'Authorization': '[hidden]', 'x': 1}"),
        ("('authorization', 'Bearer abc')", "('authorization', '[hidden]')"),
        ("Cookie: theme=dark; sid=abc\nHost: x", "Cookie: [hidden]\nHost: x"),
        ("Set-Cookie: sid=abc; HttpOnly", "Set-Cookie: [hidden]"),
        ("X-CSRFToken: abc", "X-CSRFToken: [hidden]"),
        (f"Token {'a' * 16}", "Token [hidden]"),
        (f"Token {'a' * 15}", f"Token {'a' * 15}"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln and more", "[hidden] and more"),
    ],
)
def test_headers_and_tokens(text: str, expected: str) -> None:
    assert hidden(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://u:p@db/x", "postgres://[hidden]@db/x"),
        ("postgres://u:p@ss@db/x", "postgres://[hidden]@db/x"),
        ("postgres://u:p/w@db/x", "postgres://[hidden]@db/x"),
        ("redis://:pw@cache:6379/0", "redis://[hidden]@cache:6379/0"),
        ("https://0a1b2c@sentry/4", "https://[hidden]@sentry/4"),
        ("http://db:8000/users/@me", "http://db:8000/users/@me"),
        ("a&amp;X-Amz-Signature=abc&amp;n", "a&amp;X-Amz-Signature=[hidden]&amp;n"),
        ("mailto:anna@example.org", "mailto:[e-mail]"),
        ("user:anna@example.org,b@example.org", "user:[e-mail],[e-mail]"),
    ],
)
def test_addresses_with_somebody_in_them(text: str, expected: str) -> None:
    assert hidden(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fe80::1 and 2001:db8::5", "[address] and [address]"),
        ("listens on ::1 and [::]:80", "listens on ::1 and [::]:80"),
        ("std::vector at 12:34:56", "std::vector at 12:34:56"),
        ("10.0.0.1:80", "[address]:80"),
    ],
)
def test_addresses_of_machines(text: str, expected: str) -> None:
    assert hidden(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a\n{PEM}\nb", "a\n[hidden]\nb"),
        (f"{PEM} and {PEM}", "[hidden] and [hidden]"),
        ("-----BEGIN PRIVATE KEY-----abc\nb", "[hidden]\nb"),
        (json.dumps({"k": PEM}), '{"k": "[hidden]"}'),
        (f"app: {'Ab3+' * 16}\nb", "app: [hidden]\nb"),
        (f"sha256:{'0af9' * 16}", f"sha256:{'0af9' * 16}"),
        ("pbkdf2_sha256$260000$c2FsdA$aGFzaA==, t", "[hidden] t"),
        ("DETAIL: Key (key)=(0af)9) already exists.", "DETAIL: Key (key)=([hidden]) already exists."),
        ("DETAIL: Key (name)=(valley) already exists.", "DETAIL: Key (name)=(valley) already exists."),
    ],
)
def test_keys_and_hashes(text: str, expected: str) -> None:
    assert hidden(text) == expected


# Similar cases: known secrets.


@pytest.mark.parametrize("secret", ["p@ss.word", "x!abc@def.gh", "10.0.0.1-secret", "a b c d", "abc$", "$abc", "_a_b"])
def test_a_secret_is_hidden_as_a_whole_whatever_it_looks_like(secret: str) -> None:
    assert hidden(f"({secret})", secret) == f"({HIDDEN})"


def test_a_secret_of_just_enough_characters_is_looked_for() -> None:
    short, enough = "x" * (SHORTEST - 1), "y" * SHORTEST
    assert hidden(f"{short} {enough}", short, enough) == f"{short} {HIDDEN}"


def test_a_long_secret_is_found_inside_of_words_and_a_short_one_beside_them() -> None:
    short, long = "z" * (ANYWHERE - 1), "w" * ANYWHERE
    assert hidden(f"-p{short} -p{long} {short}", short, long) == f"-p{short} -p{HIDDEN} {HIDDEN}"


@pytest.mark.parametrize(
    "spelled",
    [
        'é"s \\w',  # as it is
        '\\u00e9\\"s \\\\w',  # JSON in ASCII
        'é\\"s \\\\w',  # JSON in UTF-8
        'é"s \\\\w',  # Python
        "%C3%A9%22s%20%5Cw",  # an address
        "%C3%A9%22s+%5Cw",  # a form
    ],
)
def test_each_spelling_of_a_secret_is_hidden_as_a_whole(spelled: str) -> None:
    assert hidden(f"n {spelled}.", 'é"s \\w') == f"n {HIDDEN}."


@pytest.mark.parametrize("secret", ['qu"ote\\d', "um'laut-ö", "a/b?c=d&e", "tab\tand more"])
def test_a_secret_is_known_in_the_spellings_of_json_python_and_addresses(secret: str) -> None:
    texts = [json.dumps({"n": secret}), repr([secret]), f"/?n={quote(secret, safe='')}", f"n {secret.strip()}."]
    for text in texts:
        said = hidden(text, secret)
        assert HIDDEN in said
        assert secret[-3:] not in said


def test_blanks_around_a_secret_are_no_part_of_it() -> None:
    assert hidden("a horse.", " horse\n") == f"a {HIDDEN}."


@pytest.mark.parametrize("between", ["\n", ","])
def test_parts_of_a_secret_of_just_enough_characters_are_secrets(between: str) -> None:
    short, enough = "v" * (ANYWHERE - 1), "u" * ANYWHERE
    assert hidden(f"{short} {enough}", f"{short}{between}{enough}") == f"{short} {HIDDEN}"


def test_each_line_of_a_secret_is_one() -> None:
    said = hidden("app: first-line-of-it\napp: second-line-of-it\napp: end", "first-line-of-it\nsecond-line-of-it\nend")
    assert said == f"app: {HIDDEN}\napp: {HIDDEN}\napp: end"


def test_what_was_put_in_stays_whatever_people_are_called() -> None:
    names = ["hidden", "person", "mail", "address"]
    said = hidden("password=x a@b.org hidden 10.0.0.1", person=names)
    assert said == "password=[hidden] [e-mail] [person-1] [address]"


def test_names_are_found_in_any_case_and_not_inside_of_words() -> None:
    assert hidden("Anna, ANNA, annabel, anna_2", person=["anna"]) == "[person-1], [person-1], annabel, anna_2"
    assert hidden("FIELD.Example.org", host=["field.example.org"]) == "[host-1]"


# Similar cases: secrets in settings.


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"OPTIONS": {"secret_key": "deep", "region": "eu"}}, ["deep"]),
        ([{"a": [{"token": "deep"}]}], ["deep"]),
        ({"credentials": {"user": "anna", "more": ["deep"]}}, ["anna", "deep"]),
        ({"use_token": True, "token": None, "key": 12345}, ["12345"]),
        ({"url": "redis://:deep@cache/0"}, ["deep"]),
        ({"inner": '{"password": "deep"}'}, ["deep"]),
        ({"url": "redis://u:deep@cache", "from": "a@b"}, ["deep"]),
    ],
)
def test_secrets_inside_of_json(document: object, expected: list[str]) -> None:
    for separators in ((", ", ": "), (",", ":")):
        assert secrets_of({"STORAGES": json.dumps(document, separators=separators)}) == expected


def test_secrets_of_settings_by_their_names_in_addresses_and_in_what_only_looks_like_json() -> None:
    values = {
        "SMTP_PASS": "one-secret",
        "compass": "no-secret",
        "CACHE": "redis://u:two-secret@cache",
        "STORAGES": "{'a': {'secret_key': 'three-secret', 'region': 'eu'}}",
    }
    found = secrets_of(values)
    assert {"one-secret", "two-secret", "three-secret"} <= set(found)
    assert not {"no-secret", "eu"} & set(found)


@pytest.mark.parametrize(
    "name",
    [
        *("client_secret", "SALT", "PASSWORD_1", "passwd", "PASSPHRASE", "X_PWD", "pass", "SMTP_PASS", "PASS-1"),
        *("auth_token", "CREDENTIALS", "API_KEY", "SENTRY_DSN", "sessionid", "JSESSIONID", "COOKIE"),
    ],
)
def test_each_name_alone_makes_a_value_a_secret(name: str) -> None:
    """In settings, in JSON, and where a command or a page shows the setting."""
    assert secrets_of({name: "deep"}) == ["deep"]
    assert secrets_of({"OPTIONS": json.dumps({name: "deep"})}) == ["deep"]
    assert shown(name, "deep") == HIDDEN
    assert not is_shareable(name)


@pytest.mark.parametrize("name", ["compass", "PASSAGE", "DEBUG", "sessions"])
def test_a_name_that_only_looks_like_a_secret_s_is_none(name: str) -> None:
    assert secrets_of({name: "deep"}) == []
    assert shown(name, "deep") == "deep"


@pytest.mark.parametrize(
    "name", ["PGUSER", "django_superuser_username", "EMAIL_HOST", "tunnel_domain", "X_PWD", "a_key"]
)
def test_names_whose_values_are_nobodys_business(name: str) -> None:
    assert not is_shareable(name)


def test_hosts_are_taken_from_lists_and_addresses() -> None:
    values = {
        "DJANGO_ALLOWED_HOSTS": "a.example.org .b.example.org, * 10.0.0.1 localhost",
        "CSRF_TRUSTED_ORIGINS": "https://c.example.org:8443",
        "STORAGE_ENDPOINT_URL": "http://minio:9000",
        "EMAIL_HOST_USER": "mailer@d.example.org",
        "EMAIL_HOST_PASSWORD": "not.a.host",
    }
    assert hosts_of(values) == ["a.example.org", "b.example.org", "c.example.org", "d.example.org"]


def test_a_setting_is_shown_to_its_operator_without_the_secrets_in_it() -> None:
    assert shown("SALT_KEY", "abc") == HIDDEN
    assert (
        shown("STORAGES", '{"secret_key": "deep", "host": "10.0.0.1"}')
        == '{"secret_key": [hidden], "host": "10.0.0.1"}'
    )
    assert shown("WEB_HTTP_PORT", "80") == "80"


# Commands and their errors.


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["docker", "run", "-e", "PGPASSWORD=x y", "db"], "docker run -e 'PGPASSWORD=[hidden]' db"),
        (["tool", "--secret-key=x y=z", "--user=anna"], "tool '--secret-key=[hidden]' --user=anna"),
        (["git", "fetch", "https://u:p@git/x"], "git fetch 'https://[hidden]@git/x'"),
        (["tool", "--token", "abc"], "tool --token [hidden]"),
        (["sh", "-c", "\necho a\necho b\n", "sh", "a=b"], "sh -c 'echo a …' sh a=b"),
    ],
)
def test_a_command_is_shown_without_what_looks_like_a_secret(
    caplog: pytest.LogCaptureFixture, argv: list[str], expected: str
) -> None:
    with caplog.at_level(logging.INFO, "qfc.commands"):
        commands.echo(argv, on="gis")
    assert caplog.messages == [f"+ [gis] {expected}"]


def test_an_error_says_no_secret() -> None:
    said = "fatal: unable to access 'https://anna:ghp_abc@git/x': 403"
    with pytest.raises(CommandError) as caught:
        commands.checked(CommandResult(("git",), 1, "", said))
    assert "ghp_abc" not in caught.value.message
    assert "ghp_abc" not in error_line(said)
    assert "ghp_abc" not in error_line(f"{'x' * 240} error https://anna:ghp_abc{'d' * 60}@git")


# In general.

secrets = st.text("ab$@.:/\"' \\\n-_ö", min_size=SHORTEST, max_size=14).filter(lambda text: text.strip() == text)


@given(st.lists(secrets, min_size=1, max_size=4))
def test_no_secret_is_left_beside_blanks(found: list[str]) -> None:
    said = Redactor(found, {}).without_secrets("  ".join(found))
    for secret in found:
        assert f" {secret} " not in f" {said} "


@given(st.text(max_size=200))
def test_any_text_is_redacted_and_twice_is_like_once(text: str) -> None:
    once = without_secrets(text)
    assert without_secrets(once) == once


PIECES = ["a", "a.", "a:", "://", "-----BEGIN A-----", "key (", "key (key)=(", "token", "token-", "://a:b", '"', "Aa1+"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PIECES)
def test_long_texts_take_no_time(piece: str) -> None:
    hidden(piece * (300_000 // len(piece)), "secret-one", person=["anna"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("open /home/anna/qfc/x failed", "open /home/[person]/qfc/x failed"),
        ("C:\\Users\\Anna\\data", "C:\\Users\\[person]\\data"),
        (
            f"GET /api/v1/files/{'0' * 8}-{'0' * 4}-{'0' * 4}-{'0' * 4}-{'0' * 12}/DCIM/anna.jpg/ 404",
            f"GET /api/v1/files/{'0' * 8}-{'0' * 4}-{'0' * 4}-{'0' * 4}-{'0' * 12}/[file] 404",
        ),
        ("the layer 'Anna at home.gpkg' is missing", "the layer '[file].gpkg' is missing"),
        ("cannot read data/annas_garden.shp: denied", "cannot read [file].shp: denied"),
        ("Invalid HTTP_HOST header: 'gis.anna.example'.", "Invalid HTTP_HOST header: '[host]'."),
        ('{"host":"gis.anna.example","status":400}', '{"host":"[host]","status":400}'),
        ("host: localhost", "host: localhost"),
    ],
)
def test_names_of_files_hosts_and_homes_leave_no_trace(text: str, expected: str) -> None:
    assert without_traces(text) == expected
