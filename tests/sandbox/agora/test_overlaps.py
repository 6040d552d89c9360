"""What the pipeline makes of the files of a recorder that was cut off and of the one that took over."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recording_insights.aws.recordings_bucket import StoredFile
from recording_insights.hls.remux.remux import remux
from recording_insights.media.begins import begins_after_ms
from recording_insights.media.track import Track
from recording_insights.watch.lost_parts import find_lost_parts
from tests.sandbox.agora.individual import FAST, seconds_of, started
from tests.sandbox.conftest import AgoraCustomer, StandIns
from tests.sandbox.fake_bucket import FakeBucket

FOLDER = "recordings/0123abcd/"
NOW = datetime(2027, 1, 15, tzinfo=UTC)
OVERLAP = {"fail_over_gap_seconds": 4.0, "fail_over_overlap_seconds": 6.0, "slice_seconds": 3.0, "uids": ["1001"]}


class Files:
    """The bucket as the pipeline reads it."""

    def __init__(self, bucket: FakeBucket) -> None:
        self.objects = bucket.objects

    def read(self, key: str) -> tuple[bytes, datetime] | None:
        return (self.objects[key], NOW) if key in self.objects else None

    def list(self, prefix: str) -> list[StoredFile]:
        return [StoredFile(key, NOW) for key in sorted(self.objects) if key.startswith(prefix)]


@pytest.mark.parametrize("at", [10.0, [10.0, 22.0, 34.0]])
def test_an_overlapping_track_holds_all_sound_once(
    agora: AgoraCustomer, stand_ins: StandIns, at: float | list[float], tmp_path: Path
) -> None:
    stand_ins.dials(agora={**FAST, **OVERLAP, "fail_over_at_seconds": at})
    task = started(agora)
    stand_ins.finish()
    files = Files(stand_ins.bucket)
    track = Track.read(f"{FOLDER}{task.sid}_room_1__uid_s_1001__uid_e_audio.m3u8", files)

    def read(name: str) -> bytes | None:
        key = track.key_of(name)
        return stand_ins.bucket.objects[key] if key else None

    prepared = remux(track.timeline.segments, read, tmp_path / "track.mp4")
    assert len(track.recorders) == (2 if at == 10.0 else 4)
    assert (track.closed, track.absent, list(prepared.lost)) == (True, [], [])
    assert prepared.silent_ms < 200
    assert seconds_of((tmp_path / "track.mp4").read_bytes()) == pytest.approx(52.4, abs=0.3)


def test_overlapping_recorders_of_a_mix_are_recovered_with_their_true_beginnings(
    agora: AgoraCustomer, stand_ins: StandIns
) -> None:
    stand_ins.dials(agora={**FAST, **OVERLAP, "fail_over_at_seconds": [10.0, 22.0]})
    task = agora.started()
    stand_ins.finish()
    files = Files(stand_ins.bucket)
    stem = f"{task.sid}_room_1"
    mp4 = f"{FOLDER}bak1_{stem}_0.mp4"
    assert stand_ins.bucket.ending_in(".mp4") == [mp4]
    assert begins_after_ms(mp4, files, channel="room_1") == 26_000
    lost = find_lost_parts(files.list(FOLDER), [], sid=task.sid, channel="room_1", files=files)
    assert [(each.playlist, each.number, each.offset_ms) for each in lost] == [
        (f"{FOLDER}{stem}.m3u8", 0, 0),
        (f"{FOLDER}bak0_{stem}.m3u8", 0, 14_000),
    ], "both go on beyond the beginning of the next one, which the answer's timeline cuts"
