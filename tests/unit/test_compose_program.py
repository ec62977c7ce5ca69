"""The command lines of Compose, for the new plug-in and the old program."""

from __future__ import annotations

import pytest

from qfc.drivers.docker.engine import Engine
from qfc.drivers.runtimes.compose.program import Compose, find
from qfc.errors import UnreachableError
from twins import MemoryHost

V2, V1 = Compose("2.24.5", "qfc"), Compose("1.29.2", "qfc")
NEW = ["docker", "compose", "--progress", "plain", "--project-name", "qfc"]
OLD = ["docker-compose", "--project-name", "qfc"]


def test_each_is_called_in_its_own_way() -> None:
    assert (V2.argv("ps"), V2.is_v1) == ([*NEW, "ps"], False)
    assert (V1.argv("ps"), V1.is_v1) == ([*OLD, "ps"], True)


@pytest.mark.parametrize(
    ("new", "old", "words_of_new", "words_of_old"),
    [
        (V2.config(), V1.config(), "config --format json", "config"),
        (V2.pull(["app"]), V1.pull(["app"]), "pull --quiet --ignore-buildable app", "pull --quiet app"),
    ],
)
def test_where_they_differ(new: list[str], old: list[str], words_of_new: str, words_of_old: str) -> None:
    assert new == [*NEW, *words_of_new.split()]
    assert old == [*OLD, *words_of_old.split()]


@pytest.mark.parametrize("compose", [V2, V1])
@pytest.mark.parametrize(
    ("method", "given", "options", "words"),
    [
        ("up", [None], {}, "up --detach --no-recreate --no-build"),
        ("up", [["app"]], {}, "up --detach --no-recreate --no-build --no-deps app"),
        ("up", [["app"]], {"recreate": True, "build": True}, "up --detach --force-recreate --no-deps app"),
        ("converge", [["a"], {}], {}, "up --detach --no-build a"),
        ("converge", [["a", "b"], {"b": 0}], {}, "up --detach --no-build --scale b=0 a b"),
        ("hashes", [], {}, "config --hash *"),
        ("scale", ["w", 3], {}, "up --detach --no-build --no-deps --no-recreate --scale w=3 w"),
        ("stop", [None], {}, "stop"),
        ("stop", [["app", "db"]], {"timeout_s": 0}, "stop --timeout 0 app db"),
        ("remove", [["app"]], {}, "rm --force app"),
        ("build", [None], {}, "build"),
        ("build", [["app"]], {"fresh": True}, "build --no-cache app"),
        ("run", ["app", ["migrate", "--plan"]], {"name": "n"}, "run --rm --no-deps -T --name n app migrate --plan"),
        ("follow", [["app"]], {"lines": 5}, "logs --follow --timestamps --no-color --tail=5 app"),
    ],
)
def test_where_they_agree(
    compose: Compose, method: str, given: list[object], options: dict[str, object], words: str
) -> None:
    assert getattr(compose, method)(*given, **options) == compose.argv(*words.split())


@pytest.mark.parametrize("method", ["up", "stop", "build", "pull"])
def test_no_names_never_mean_every_service(method: str) -> None:
    with pytest.raises(ValueError, match="No service is named"):
        getattr(V2, method)([])


def engine(code: int, said: str) -> Engine:
    host = MemoryHost()
    host.programs["sh"] = lambda *_: (code, said, "sh: docker-compose: not found" if code else "")
    return Engine(host)  # pyright: ignore[reportArgumentType]  (nothing is streamed)


@pytest.mark.parametrize(("said", "version"), [("2.24.5\n", "2.24.5"), ("v2.3.3\n", "2.3.3"), ("1.29.2\n", "1.29.2")])
def test_the_host_says_which_one_it_has(said: str, version: str) -> None:
    assert find(engine(0, said), "qfc") == Compose(version, "qfc")


def test_a_host_without_any_is_told() -> None:
    with pytest.raises(UnreachableError, match="memory has no Docker Compose") as caught:
        find(engine(127, ""), "qfc")
    assert "docker-compose-plugin" in caught.value.hint
