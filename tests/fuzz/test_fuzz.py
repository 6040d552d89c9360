"""The short form: every fuzzer with the same few inputs in each run. The long form is `make fuzz`."""

import warnings

import pytest
from hypothesis.errors import HypothesisWarning

from tests.fuzz.target import Target
from tests.fuzz.targets import all_targets

EXAMPLES = 25


@pytest.mark.parametrize("target", all_targets(), ids=lambda target: target.name)
def test_what_must_hold_for_every_input(target: Target, socket_disabled: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        assert target.run(EXAMPLES) > 0
