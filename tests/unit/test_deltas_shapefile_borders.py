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


def height(world: World) -> float:
    info, _, _, columns = pyogrio.raw.read(world.folder / "heights.dbf")
    return float(columns[list(info["fields"]).index("height")][0])


@pytest.mark.parametrize(("value", "fits"), [(9999, True), (10000, False), (-999, True), (-1000, False)])
def test_a_sign_takes_the_place_of_a_digit(tmp_path: Path, value: int, fits: bool) -> None:
    world = table(tmp_path, 4, 0)
    outcome = world.apply_one(patch(1, {"height": value}))
    assert outcome.status == ("applied" if fits else "not_applied")
    assert height(world) == (value if fits else 1)
    assert fits or "outside the range -999 to 9999" in outcome.feedback["msg"]


@pytest.mark.parametrize(("value", "fits"), [(1234.5, True), (12345.0, True), (12345.6, False), (-1234.0, True)])
def test_a_number_is_shortened_only_where_it_stays_the_same(tmp_path: Path, value: float, fits: bool) -> None:
    world = table(tmp_path, 6, 3)
    assert world.apply_one(patch(1, {"height": value})).status == ("applied" if fits else "not_applied")
    assert height(world) == (value if fits else 1)


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
