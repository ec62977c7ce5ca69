"""Values of deltas: a value that fits its field is stored, and the stored value equals the sent one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc_node.gis.deltas.values import MAXIMUM_LENGTH, BadValueError, Field, FieldKind, coerce, same

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
kinds = st.sampled_from(list(FieldKind))


@given(kinds, json_values)
def test_what_is_kept_is_what_was_sent(kind: FieldKind, raw: Any) -> None:
    field = Field("f", kind)
    try:
        value = coerce(field, raw)
    except BadValueError as error:
        assert '"f"' in str(error)
        return
    assert coerce(field, value) == value
    assert same(field, value, value)
    assert same(field, raw, value)


@given(kinds, json_values, json_values)
def test_sameness_knows_no_order(kind: FieldKind, one: Any, other: Any) -> None:
    field = Field("f", kind)
    assert same(field, one, other) is same(field, other, one)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (FieldKind.INTEGER, "12", 12),
        (FieldKind.INTEGER, 12.0, 12),
        (FieldKind.INTEGER, True, 1),
        (FieldKind.INTEGER, "", None),
        (FieldKind.REAL, "1.5", 1.5),
        (FieldKind.REAL, 3, 3.0),
        (FieldKind.BOOLEAN, "true", True),
        (FieldKind.BOOLEAN, 0, False),
        (FieldKind.TEXT, "", ""),
        (FieldKind.TEXT, 5, "5"),
        (FieldKind.TEXT, 5.0, "5"),
        (FieldKind.TEXT, True, "true"),
        (FieldKind.TEXT, ["ä", 1], '["ä", 1]'),
        (FieldKind.DATE, "2024-05-01T23:00:00.000", date(2024, 5, 1)),
        (FieldKind.DATETIME, "2024-05-01T23:00:00Z", datetime(2024, 5, 1, 23, tzinfo=UTC)),
        (FieldKind.DATETIME, "2024-05-01", datetime(2024, 5, 1)),
        (FieldKind.TIME, "12:30", time(12, 30)),
        (FieldKind.TIME, "2024-05-01T12:30:00", time(12, 30)),
        (FieldKind.BINARY, "_-8", b"\xff\xef"),
        (FieldKind.BINARY, "/+8=", b"\xff\xef"),
        (FieldKind.JSON, '{"a": 1}', {"a": 1}),
        (FieldKind.JSON, "no document", "no document"),
    ],
)
def test_conversions(kind: FieldKind, raw: Any, value: Any) -> None:
    kept = coerce(Field("f", kind), raw)
    assert (kept, type(kept)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "one", "other", "expected"),
    [
        (FieldKind.TEXT, "", None, False),
        (FieldKind.TEXT, "5", 5, True),
        (FieldKind.TEXT, '{"a":1,"b":2}', {"b": 2, "a": 1}, True),
        (FieldKind.TEXT, "[1]", "{1}", False),
        (FieldKind.INTEGER, None, "", True),
        (FieldKind.INTEGER, 0, None, False),
        (FieldKind.INTEGER, "many", "many", True),
        (FieldKind.REAL, 0.1 + 0.2, 0.3, True),
        (FieldKind.REAL, 1.0, 1.0001, False),
        (FieldKind.ANY, 1, 1.0, True),
        (FieldKind.ANY, 1, "1", False),
        (FieldKind.DATETIME, "2024-05-01T12:00:00", "2024-05-01T12:00:00Z", True),
        (FieldKind.DATETIME, "2024-05-01T12:00:00+02:00", "2024-05-01T12:00:00Z", False),
        (FieldKind.DATETIME, "2024-05-01T12:00:00.0004", "2024-05-01T12:00:00.0009", True),
        (FieldKind.DATETIME, "2024-05-01T12:00:00.000", "2024-05-01T12:00:00.001", False),
        (FieldKind.JSON, [1, {"a": None}], '[1, {"a": null}]', True),
    ],
)
def test_sameness(kind: FieldKind, one: Any, other: Any, expected: bool) -> None:
    assert same(Field("f", kind), one, other) is expected


@pytest.mark.parametrize(
    ("field", "fits", "too_much"),
    [
        (Field("f", FieldKind.INTEGER, limits=(-5, 7)), 7, 8),
        (Field("f", FieldKind.INTEGER, limits=(-5, 7)), -5, -6),
        (Field("f", FieldKind.INTEGER), 2**63 - 1, 2**63),
        (Field("f", FieldKind.INTEGER), -(2**63), -(2**63) - 1),
        (Field("f", FieldKind.TEXT, width=3), "äöü", "äöüß"),
        (Field("f", FieldKind.TEXT, width=3), 100, 1000),
        (Field("f", FieldKind.TEXT), "x" * MAXIMUM_LENGTH, "x" * (MAXIMUM_LENGTH + 1)),
    ],
    ids=["highest", "lowest", "int64", "-int64", "width", "width of a number", "longest"],
)
def test_the_last_value_that_fits_and_the_first_that_does_not(field: Field, fits: Any, too_much: Any) -> None:
    assert str(coerce(field, fits)) == str(fits)
    with pytest.raises(BadValueError):
        coerce(field, too_much)


@pytest.mark.parametrize(("is_single", "other", "expected"), [(True, 1.0000001, True), (False, 1.0000001, False)])
def test_numbers_of_single_precision_are_compared_as_such(is_single: bool, other: float, expected: bool) -> None:
    assert same(Field("f", FieldKind.REAL, single_precision=is_single), 1.0, other) is expected
