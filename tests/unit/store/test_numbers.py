"""What the table holds of a number, and what the domain gets back."""

import math
from decimal import Decimal
from typing import Any

import pytest

from recording_insights.store.numbers import decode, encode


@pytest.mark.parametrize(
    ("number", "held"),
    [
        *((0, 0), (-7, -7), (10**37, 10**37), (True, True)),
        *((0.1, Decimal("0.1")), (0.998, Decimal("0.998")), (-1.5, Decimal("-1.5")), (1e22, Decimal("1E+22"))),
        (Decimal("0.875"), Decimal("0.875")),
        # More digits than 38 are rounded, to even.
        (3**99, Decimal("1.7179250691067044367882037658854042423E+47")),
        (Decimal("0." + "1" * 50), Decimal("0." + "1" * 38)),
        # Beyond the table's range.
        *((1e-200, Decimal(0)), (-1e-131, Decimal(0)), (1e-130, Decimal("1E-130"))),
        (1e200, Decimal("9.9999999999999999999999999999999999999E+125")),
        (-(10**300), Decimal("-9.9999999999999999999999999999999999999E+125")),
    ],
)
def test_a_number_is_rounded_to_what_the_table_holds(number: Any, held: Any) -> None:
    assert encode(number) == held
    assert not isinstance(encode(number), float)


def test_what_is_no_number_is_left_out() -> None:
    nan, infinity = math.nan, math.inf

    assert encode({"a": nan, "b": [1, infinity, Decimal("NaN")], "c": {"d": -infinity}}) == {
        "b": [1, None, None],
        "c": {},
    }


@pytest.mark.parametrize(
    ("held", "number"),
    [
        (Decimal("7"), 7),
        (Decimal("7.0"), 7),
        (Decimal("1E+3"), 1000),
        (Decimal("0.25"), 0.25),
        (
            {"a": [Decimal("1"), {"b": Decimal("-0.5")}], "c": None, "d": True},
            {"a": [1, {"b": -0.5}], "c": None, "d": True},
        ),
    ],
)
def test_a_decimal_becomes_an_int_or_a_float(held: Any, number: Any) -> None:
    assert decode(held) == number
    assert not isinstance(decode(held), Decimal)


@pytest.mark.parametrize("number", [0, 1, -1, 0.1, 0.30000000000000004, 1 / 3, 1e-9, 123456789.125])
def test_what_the_domain_writes_it_reads_back(number: float) -> None:
    assert decode(encode(number)) == number
