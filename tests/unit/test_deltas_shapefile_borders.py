"""Shapefiles at their limits: the last value that fits, the smallest damage that is noticed."""

from __future__ import annotations

import struct
from pathlib import Path

import pyogrio.raw
import pytest

from delta_world import Row, World, patch, write

TREES = [Row(1, "oak", 10, 1.5, "POINT (0 0)"), Row(2, "elm", 20, 2.5, "POINT (1 1)")]


@pytest.fixture
def world(tmp_path: Path) -> World:
    write(tmp_path / "trees.shp", TREES)
    world = World(tmp_path)
    world.add_layer("trees", "./trees.shp")
    return world


def table(folder: Path, width: int, decimals: int) -> World:
    """Write a .dbf with one row, whose field of heights has that many digits."""
    fields = ((b"fid", 4, 0), (b"height", width, decimals))
    descriptors = b"".join(struct.pack("<11sc4xBB14x", name, b"N", *size) for name, *size in fields)
    head = struct.pack("<BBBBIHH20x", 3, 124, 1, 1, 1, 32 + len(descriptors) + 1, 1 + 4 + width)
    (folder / "heights.dbf").write_bytes(head + descriptors + b"\r" + b"    1" + b"1".rjust(width) + b"\x1a")
    world = World(folder)
    world.add_layer("trees", "./heights.dbf")
    return world


@pytest.mark.parametrize("value", [-146903612.89944828, 99999999999.5, 28453528.51857519])
def test_a_long_number_keeps_its_decimals(tmp_path: Path, value: float) -> None:
    """QGIS cuts the decimals that do not fit; a field that grows keeps them."""
    world = table(tmp_path, 10, 3)
    assert world.apply_one(patch(1, {"height": value})).status == "applied"
    assert height(world) == round(value, 3)


def height(world: World) -> float:
    info, _, _, columns = pyogrio.raw.read(world.folder / "heights.dbf")
    return float(columns[list(info["fields"]).index("height")][0])


def size(world: World) -> tuple[int, int]:
    """Width and decimals of the field of heights."""
    data = (world.folder / "heights.dbf").read_bytes()
    return data[64 + 16], data[64 + 17]


@pytest.mark.parametrize(
    ("value", "held", "width"),
    [
        *((9999, 9999, 4), (-999, -999, 4), (10000, 10000, 5), (-1000, -1000, 5)),
        *((10**15, 10**15, 16), (10**18, 1, 4), (-(10**17), 1, 4)),
        # As QGIS rounds: halves away from zero.
        *((351.27, 351, 4), (2.5, 3, 4), (-2.5, -3, 4), ("7.5", 8, 4), (0.4, 0, 4)),
    ],
)
def test_whole_numbers_are_rounded_and_their_field_grows(tmp_path: Path, value: object, held: int, width: int) -> None:
    world = table(tmp_path, 4, 0)
    outcome = world.apply_one(patch(1, {"height": value}))
    assert outcome.status == ("not_applied" if held == 1 else "applied")
    assert (height(world), size(world)) == (held, (width, 0))


@pytest.mark.parametrize(
    ("value", "held", "width"),
    [
        *((1234.5, 1234.5, 6), (12345.0, 12345.0, 6), (-1234.0, -1234.0, 6), (1.23456789, 1.235, 6)),
        *((12345.6, 12345.6, 9), (-12345.678, -12345.678, 10), (1e15, 1e15, 20)),
    ],
)
def test_numbers_are_rounded_to_the_decimals_of_their_field(
    tmp_path: Path, value: float, held: float, width: int
) -> None:
    world = table(tmp_path, 6, 3)
    assert world.apply_one(patch(1, {"height": value})).status == "applied"
    assert (height(world), size(world)) == (held, (width, 3))


def test_a_wide_field_without_decimals_holds_real_numbers_that_are_rounded(tmp_path: Path) -> None:
    """QGIS shows it as a real number, so that a device may write decimals."""
    world = table(tmp_path, 20, 0)
    assert world.apply_one(patch(1, {"height": 351.27}, {"height": 1})).status == "applied"
    assert (height(world), size(world)) == (351, (20, 0))
    # What the device wrote is not what is held now, and yet no conflict.
    assert world.apply_one(patch(1, {"height": 9.0}, {"height": 351.27})).status == "applied"


def texts(world: World) -> list[str]:
    info, _, _, columns = pyogrio.raw.read(world.folder / "trees.shp")
    return [str(text) for text in columns[list(info["fields"]).index("name")]]


def test_a_field_of_texts_grows_to_254_bytes(tmp_path: Path) -> None:
    write(tmp_path / "trees.shp", TREES, encoding="UTF-8")
    world = World(tmp_path)
    world.add_layer("trees", "./trees.shp")
    before = (tmp_path / "trees.shp").read_bytes()
    report = world.apply(
        patch(1, {"name": "ä" * 60}),
        patch(2, {"name": "x" * 254}),
        patch(1, {"name": "ä" * 128}),
        patch(1, {"weight": 2}),
    )
    assert [outcome.status for outcome in report.outcomes] == ["applied", "applied", "not_applied", "applied"]
    assert "256 bytes" in report.outcomes[2].feedback["msg"]
    assert report.changed_files == {"trees.dbf"}
    assert texts(world) == ["ä" * 60, "x" * 254]
    assert (tmp_path / "trees.shp").read_bytes() == before
    assert world.apply_one(patch(2, {"name": " short  "}, {"name": "x" * 254})).status == "applied"
    assert texts(world) == ["ä" * 60, "short"]


def test_a_record_that_is_one_byte_too_short_for_its_fields_is_damage(world: World) -> None:
    path = world.folder / "trees.dbf"
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<H", data, 10)
    struct.pack_into("<H", data, 10, length - 1)
    path.write_bytes(bytes(data))
    outcome = world.apply_one(patch(1, {"height": 1}))
    assert (outcome.status, "damaged" in outcome.feedback["msg"]) == ("not_applied", True)


def test_a_shape_whose_last_byte_is_missing_is_damage(world: World) -> None:
    path = world.folder / "trees.shp"
    path.write_bytes(path.read_bytes()[:-1])
    outcome = world.apply_one(patch(1, {"height": 1}))
    assert (outcome.status, "beyond its end" in outcome.feedback["msg"]) == ("not_applied", True)
