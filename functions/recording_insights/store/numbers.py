"""Numbers in rows: decoded once when a row is read, encoded once when it is written.

DynamoDB holds decimal numbers of 38 digits between 1e-130 and 9.99…e+125. boto3 returns them as Decimals, refuses
floats, and raises on a Decimal that does not fit. The domain uses int and float only.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

_LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")
_SMALLEST = Decimal("1E-130")
_ROUNDING = Context(prec=38, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, traps=[])


def decode(value: Any) -> Any:
    """Return a value of a row with every Decimal as an int or, if it has a fraction, a float."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Mapping():
            return {name: decode(inner) for name, inner in value.items()}
        case list():
            return [decode(inner) for inner in value]
        case _:
            return value


def encode(value: Any) -> Any:
    """Return a value as boto3 takes it: numbers that the table cannot hold are rounded to what it can.

    A number too small becomes 0, one too large becomes the largest. NaN and infinity are no numbers: an attribute
    that holds one is left out, an entry of a list becomes null.
    """
    match value:
        case bool():
            return value
        case int() | float() | Decimal():
            return _held(value)
        case Mapping():
            return {name: encode(inner) for name, inner in value.items() if not _is_no_number(inner)}
        case list() | tuple():
            return [None if _is_no_number(inner) else encode(inner) for inner in value]
        case _:
            return value


def _is_no_number(value: Any) -> bool:
    return isinstance(value, float | Decimal) and not math.isfinite(value)


def _held(number: int | float | Decimal) -> Decimal | int:
    if isinstance(number, int) and abs(number) < 10**38:
        return number
    # The text of a float is its shortest form: 0.1 stays 0.1.
    exact = _ROUNDING.create_decimal(str(number) if isinstance(number, float) else number)
    if abs(exact) < _SMALLEST:
        return Decimal(0)
    return exact if abs(exact) <= _LARGEST else _LARGEST.copy_sign(exact)
