"""How long an open playlist counts as being written, in seconds: every check within costs one request, not several."""

from datetime import timedelta

import pytest

from recording_insights.processing.late_files import is_being_written
from tests.unit.fakes import FakeClock
from tests.unit.processing.track_scene import KEY, FakeFolder, playlist


@pytest.mark.parametrize(("seconds", "is_open"), [(179, True), (180, True), (181, False)])
def test_an_open_playlist_is_being_written_for_three_minutes(clock: FakeClock, seconds: int, is_open: bool) -> None:
    folder = FakeFolder(clock)
    folder.put(KEY, playlist(["1.ts"], closed=False))

    assert is_being_written(KEY, folder, clock.now() + timedelta(seconds=seconds)) is is_open
