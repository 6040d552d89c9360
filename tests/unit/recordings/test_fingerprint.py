"""The hash of a request stays the same from version to version: a repeated Idempotency-Key must find its recording."""

import pytest

from tests.unit.recordings.wanted import wanted

REGION = {"uid": 7, "x": 0.25, "y": 0, "width": 1 / 3, "height": 1}


def fingerprint(**changes: float) -> str:
    layout = {"width": 640, "height": 360, "layout": [{**REGION, **changes}]}
    return wanted(audio_only=False, transcoding=layout).fingerprint


def test_a_layout_with_fractions_has_the_hash_of_version_0_1() -> None:
    assert fingerprint() == "364f2d3b759b27016e54d0d11c56b08c"


@pytest.mark.parametrize(("x", "is_same"), [(0.25000001, True), (0.250001, False), (0.5, False)])
def test_fractions_count_up_to_six_decimals(x: float, is_same: bool) -> None:
    assert (fingerprint(x=x) == fingerprint()) == is_same
