"""Reading deltafiles: accepted or refused as a whole, with a message that says why."""

from __future__ import annotations

import json
import tracemalloc
import uuid
from typing import Any

import pytest

from qfc_node.core import json_stream
from qfc_node.core.deltafile import DeltafileError, DeltafileLimits, DeltafileTooLargeError, read_deltafile
from qfc_node.core.json_stream import Guard, JsonLimits

PROJECT = str(uuid.uuid4())


def delta(**changes: Any) -> dict[str, Any]:
    made = {
        "uuid": str(uuid.uuid4()),
        "clientId": str(uuid.uuid4()),
        "localPk": "7",
        "sourcePk": "7",
        "localLayerId": "trees",
        "sourceLayerId": "trees",
        "method": "patch",
        "old": {"attributes": {"height": 1}},
        "new": {"attributes": {"height": 2}},
        **changes,
    }
    return {key: value for key, value in made.items() if value is not ...}


def document(*deltas: Any, **changes: Any) -> bytes:
    made = {"id": str(uuid.uuid4()), "project": PROJECT, "version": "1.0", "files": [], "deltas": deltas, **changes}
    return json.dumps({key: value for key, value in made.items() if value is not ...}).encode()


def test_a_file_is_read_in_the_order_of_its_deltas() -> None:
    first, second = delta(), delta(method="create", localPk="-1", sourcePk="", old=...)
    read = read_deltafile(document(first, second))
    assert read.project_id == uuid.UUID(PROJECT)
    assert [item.content for item in read.deltas] == [first, second]
    assert [item.method for item in read.deltas] == ["patch", "create"]


def test_geometries_are_those_before_and_after() -> None:
    sent = delta(old={"geometry": "Point (1 2)"}, new={"geometry": None})
    item = read_deltafile(document(sent)).deltas[0]
    assert (item.geometry("old"), item.geometry("new")) == ("Point (1 2)", None)


def test_an_empty_file_of_deltas_is_one() -> None:
    assert read_deltafile(document()).deltas == ()


@pytest.mark.parametrize("missing", ["localPk", "sourcePk", "localLayerId", "sourceLayerId"])
@pytest.mark.parametrize("nothing", ["", None, ...])
def test_one_name_of_a_feature_and_of_its_layer_is_enough(missing: str, nothing: Any) -> None:
    assert len(read_deltafile(document(delta(**{missing: nothing}))).deltas) == 1


def test_the_same_delta_twice_counts_once() -> None:
    sent = delta()
    assert len(read_deltafile(document(sent, sent)).deltas) == 1


def test_braces_around_uuids_are_what_some_devices_write() -> None:
    known = uuid.uuid4()
    assert read_deltafile(document(delta(uuid=f"{{{known}}}"))).deltas[0].id == known


CASES = [
    (b"", "empty"),
    (b"not json", "not JSON"),
    (b"\xff\xfe{}", "not"),
    (b"[]", "must be an object"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a": 1}', "`version`"),
    (document(version="2.0"), "`version` must be '1.0'"),
    (document(deltas=...), "`deltas` must be a list"),
    (document(deltas={}), "`deltas` must be a list"),
    (document(id=...), "`id` must be a UUID"),
    (document(project="x"), "`project` must be a UUID"),
    (document(7), "Delta #0 must be an object"),
    (document(delta(), delta(uuid=...)), "Delta #1: `uuid`"),
    (document(delta(clientId=...)), "Delta #0: `clientId`"),
    (document(delta(clientId=7)), "Delta #0: `clientId`"),
    (document(delta(method="upsert")), "create, patch or delete"),
    (document(delta(method=["patch"])), "create, patch or delete"),
    (document(delta(localLayerId="", sourceLayerId="")), "`localLayerId` is missing"),
    (document(delta(localLayerId=7)), "must be text"),
    (document(delta(new=...)), "must have `new`"),
    (document(delta(new=[])), "must be an object"),
    (document(delta(new={"attributes": [1]})), "`new.attributes`"),
    (document(delta(new={"geometry": 7})), "`new.geometry`"),
    (document(delta(localPk="", sourcePk="")), "`localPk` or `sourcePk`"),
    (document(delta(localPk={"a": 1})), "must be text"),
    (document(delta(new={"attributes": {"height": float("nan")}})), "NaN"),
    (document(delta()).replace(b'"height": 2', b'"height": 1e999'), "too large"),
]


@pytest.mark.parametrize(("sent", "complaint"), CASES, ids=[complaint for _, complaint in CASES])
def test_what_is_wrong_is_said(sent: bytes, complaint: str) -> None:
    with pytest.raises(DeltafileError, match="(?i)" + complaint):
        read_deltafile(sent)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("a\0b", "ab"), ("\0", ""), ("half \ud83d", "half \ufffd"), ("\\u0000", "\\u0000"), ("😀", "😀")],
)
def test_characters_that_cannot_be_stored_do_not_stop_the_file(sent: str, kept: str) -> None:
    """A device repeats a refused file for ever, with all its other edits."""
    first = delta()
    second = delta(sourcePk=f"7{sent}", new={"attributes": {"name": sent, f"n{sent}": [{"deep": sent}]}})
    read = read_deltafile(document(first, second))
    assert read.deltas[0].content == first
    assert read.deltas[1].content["new"]["attributes"] == {"name": kept, f"n{kept}": [{"deep": kept}]}
    assert read.deltas[1].content["sourcePk"] == f"7{kept}"


def test_two_deltas_of_one_uuid_are_refused() -> None:
    sent = delta()
    with pytest.raises(DeltafileError, match="Two different deltas"):
        read_deltafile(document(sent, {**sent, "localPk": "8"}))


LIMITS = DeltafileLimits(file_bytes=4_000_000, deltas=3000, geometry_bytes=200_000, attribute_bytes=50_000)
#: More than what is read at once.
PADDING = {"attributes": {"note": "ö€" * 8000}}


def test_a_large_file_is_read_like_a_small_one() -> None:
    sent = [delta(new=PADDING) for _ in range(12)]
    read = read_deltafile(document(*sent, sent[3]), LIMITS)
    assert [item.content for item in read.deltas] == sent
    assert [item.id for item in read.deltas] == [uuid.UUID(one["uuid"]) for one in sent]
    assert len(read.deltas) == 12


LARGE = [delta(new=PADDING) for _ in range(12)]
WHOLE = document(*LARGE)
WRONG = {
    "item": (document(*LARGE, 7), "Delta #12 must be an object"),
    "same uuid": (document(*LARGE, {**LARGE[0], "localPk": "8"}), "Two different deltas"),
    "version": (document(*LARGE, version="2.0"), "`version` must be"),
    "project": (document(*LARGE, project=...), "`project` must be a UUID"),
    "cut": (WHOLE[:-1], "not JSON"),
    "cut more": (WHOLE[:-40], "not JSON"),
    "more": (WHOLE + b"x", "not JSON: Extra data"),
    "bytes": (WHOLE.replace(b'"note"', b'"no\xffte"'), "not UTF-8"),
    "nan": (WHOLE.replace(b'"files": []', b'"files": NaN'), "not a JSON number"),
    "deep": (document(*LARGE, files=json.loads("[" * 40 + "]" * 40)), "nested too deeply"),
}
TOO_LARGE = {
    "file": (b" " * 4_000_001, "at most 4000000 bytes"),
    "deltas": (document(*[delta() for _ in range(3001)]), "at most 3000 deltas"),
    "geometry": (document(delta(new={"geometry": "x" * 200_001})), "a geometry may have at most 200000"),
    "geometry of a large file": (document(*LARGE, delta(old={"geometry": "x" * 200_001})), "Delta #12: a geometry"),
    "attribute": (document(delta(new={"attributes": {"a": "x" * 50_001}})), "the attribute 'a' may have"),
    "values": (document(*LARGE, files=[1] * 500_000), "values"),
    "delta": (document(delta(new={"attributes": {"a": "x" * 1_000_000}})), "one edit may have at most 600000 bytes"),
    "quotes": (document(delta(new={"attributes": {"a": '"' * 600_000}})), "one edit may have at most 600000 bytes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_large_file_is_refused_like_a_small_one(case: str) -> None:
    raw, message = WRONG[case]
    with pytest.raises(DeltafileError, match=message):
        read_deltafile(raw, LIMITS)


@pytest.mark.parametrize("case", TOO_LARGE)
def test_what_is_too_large_is_refused_by_name(case: str) -> None:
    raw, message = TOO_LARGE[case]
    with pytest.raises(DeltafileTooLargeError, match=message):
        read_deltafile(raw, LIMITS)


def test_a_busy_week_of_a_device_passes() -> None:
    photos = {f"photo_{number}": f"DCIM/JPEG_20261130_{number:09}.jpg" for number in range(20)}
    sent = [delta(new={"geometry": "Point (1 2)", "attributes": photos}) for _ in range(10_000)]
    assert len(read_deltafile(document(*sent)).deltas) == 10_000


def test_a_large_file_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it takes depends on what is read at once; so a smaller piece shows it with a smaller file."""
    monkeypatch.setattr(json_stream, "CHUNK", 16 * 1024)
    raw = document(*[delta(new={"attributes": {"note": "ö€" * 1000}}) for _ in range(160)])
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_deltafile(raw).deltas) == 160
        assert tracemalloc.get_traced_memory()[1] < len(raw) / 2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_depth_is_counted_outside_of_strings_wherever_the_bytes_are_cut(size: int) -> None:
    guard = Guard(JsonLimits(depth=3, item_bytes=10**6, item_values=10**6))
    text = rb'{"[[[[": ["\"[[[[", "\\", "[[[[\\\""], "a": {"b": []}}'
    for at in range(0, len(text), size):
        guard.check(text[at : at + size])
    with pytest.raises(RecursionError):
        guard.check(b"[[[[")
