"""The host's memory, and the limit of one worker with its job, as either kind of server stores it."""

from __future__ import annotations

import base64
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.drivers.deployment.memory import (
    LIMIT_KEY,
    NODE_DEFAULT,
    NODE_LIMIT,
    host_memory,
    node_limit,
    official_limit,
    setting,
    size,
)
from qfc.drivers.docker.engine import Engine
from qfc.errors import QfcError
from qfc.stack.model import MemoryRoom
from twins import MemoryHost

MIB, GIB = 1024**2, 1024**3
MEMINFO = """MemTotal:       16316412 kB
MemFree:          512340 kB
MemAvailable:    9876544 kB
HugePages_Total:       0
"""


def engine(printed: str) -> Engine:
    host = MemoryHost()
    host.programs["cat"] = lambda *_: (0, printed, "")
    return Engine(host)  # pyright: ignore[reportArgumentType]  (nothing is streamed)


def pickled(value: object, protocol: int = 2) -> str:
    return base64.b64encode(pickle.dumps(value, protocol)).decode()


class Evil:
    """Leaves a mark if it is ever loaded."""

    loaded: list[str] = []

    def __reduce__(self) -> object:
        return self.loaded.append, ("code has run",)


def test_total_and_available_memory_are_told() -> None:
    assert host_memory(engine(MEMINFO)) == (16316412 * 1024, 9876544 * 1024)


@pytest.mark.parametrize("printed", ["", "MemTotal:  1 kB\n", "MemTotal:\nMemAvailable: 1 kB\n", "MemTotal: a\n"])
def test_memory_that_cannot_be_told_is_an_error(printed: str) -> None:
    with pytest.raises(QfcError, match="The memory of memory cannot be read"):
        host_memory(engine(printed))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1000m", 1000 * MIB),
        ("2g", 2 * GIB),
        ("2G", 2 * GIB),
        ("2gb", 2 * GIB),
        ("1.5g", 3 * GIB // 2),
        ("1t", 1024 * GIB),
        ("512k", 512 * 1024),
        ("7b", 7),
        (" 1073741824 ", GIB),
        ("", None),
        ("None", None),
        ("-1m", None),
        ("1000mm", None),
    ],
)
def test_sizes_as_docker_takes_them(text: str, wanted: int | None) -> None:
    assert size(text) == wanted


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("gAJNWAIu", 600),
        (pickled("1000m"), "1000m"),
        (pickled("1000m", 0), "1000m"),
        (pickled("1000m", 5), "1000m"),
        ("600", 600),
        ('"2g"', "2g"),
        ('{"__type__": "default", "__value__": "2g"}', "2g"),
    ],
)
def test_a_setting_is_read_as_any_release_stores_it(stored: str, value: object) -> None:
    assert setting(stored) == value


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_run_code_is_refused(protocol: int) -> None:
    assert setting(pickled(Evil.loaded.append, protocol)) is None
    assert setting(pickled(Evil(), protocol)) is None
    assert Evil.loaded == []


def test_a_pickle_that_names_a_function_is_refused() -> None:
    assert setting(base64.b64encode(b"cposix\nsystem\n(S'false'\ntR.").decode()) is None


@pytest.mark.parametrize(
    "stored", ["", "?", "{}", '{"value": 1}', "gAJN", "lTNRLPuHi2+u", "iJiwpzOJjgLee8xs", "SmxwMGNJMQphLg=="]
)
def test_garbage_is_no_setting(stored: str) -> None:
    assert setting(stored) is None


@given(st.text(max_size=20) | st.binary(max_size=30).map(lambda data: base64.b64encode(data).decode()))
def test_whatever_is_stored_there_is_a_limit(stored: str) -> None:
    assert official_limit(stored) >= 0


@pytest.mark.parametrize(
    ("stored", "limit"),
    [
        (None, 1000 * MIB),
        (pickled("2g"), 2 * GIB),
        ('{"__type__": "default", "__value__": "1500m"}', 1500 * MIB),
        ("garbage", 1000 * MIB),
        ('"a lot"', 1000 * MIB),
    ],
)
def test_the_limit_of_a_job_of_an_official_worker(stored: str | None, limit: int) -> None:
    assert LIMIT_KEY == "WORKER_QGIS_MEMORY_LIMIT"
    assert official_limit(stored) == limit


@pytest.mark.parametrize(
    ("environment", "limit"), [({}, NODE_DEFAULT), ({NODE_LIMIT: ""}, NODE_DEFAULT), ({NODE_LIMIT: "5"}, 5)]
)
def test_the_limit_of_a_job_of_the_node(environment: dict[str, str], limit: int) -> None:
    assert node_limit(environment) == limit


@pytest.mark.parametrize(
    ("total", "others", "worker", "workers"), [(16, 4, 4, 3), (16, 4, 5, 2), (16, 20, 1, 0), (16, 0, 0, 16)]
)
def test_so_many_workers_fit(total: int, others: int, worker: int, workers: int) -> None:
    assert MemoryRoom(total, others, worker).most_workers == workers
