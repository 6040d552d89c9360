"""What happens when nothing breaks: a file, a file whose events get lost, a recording, and a track."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from recording_insights.store.rows import RecordingRow
from routes import start_recording, stop_recording
from tests.conformance.journey import CHANNEL
from tests.faults.world import NoAnswer, World, mp4
from tests.unit.processing.track_scene import BEGAN, playlist, stamp

CALL_SECONDS, SEGMENT_SECONDS = 600, 15
LEASE_SECONDS = 120
"""After which the claim of a start that died has lapsed."""
EXITED = 8
"""Agora's status of a recorder that has left."""


def file(world: World) -> None:
    """A file is put into the bucket by hand."""
    world.put()


def swept(world: World) -> None:
    """No event of a file comes, neither that of its arrival nor that of its result: the sweep finds both."""
    world.loses = {"arrivals", "results"}
    world.put()


def recording(world: World) -> None:
    """The API starts a recording and stops it after ten minutes. It has one MP4."""
    row = _started(world)
    world.later(CALL_SECONDS, lambda: _ends(world, row["recording_id"]))
    world.later(CALL_SECONDS + 5, lambda: world.put(f"{row['prefix']}{row['sid']}_{CHANNEL}_0.mp4"))


def track(world: World) -> None:
    """The API starts a recording in individual mode. The only speaker leaves two segments and a playlist."""
    row = _started(world, mode="individual")
    stem = f"{row['sid']}_{CHANNEL}__uid_s_1001__uid_e_audio"
    names = [f"{stem}_{stamp(BEGAN + timedelta(seconds=place * SEGMENT_SECONDS))}.ts" for place in range(2)]
    for place, name in enumerate(names, start=1):
        at = place * SEGMENT_SECONDS
        world.later(at, partial(world.arrive, f"{row['prefix']}{name}", b"ts", announced=False))
        text = playlist(names[:place], closed=place == len(names)).encode()
        put = world.put if place == len(names) else world.arrive
        world.later(at + 1, partial(put, f"{row['prefix']}{stem}.m3u8", text))
    world.later(3 * SEGMENT_SECONDS, lambda: _ends(world, row["recording_id"]))


def _started(world: World, **body: Any) -> RecordingRow:
    """Start a recording. Its row may lack the sid, if the function died that had it from Agora.

    A start that died before it called Agora is found by the next one, once its claim on the channel has lapsed.
    """
    for key in ("the-first", "the-second"):
        world.headers = {"idempotency-key": key}
        started = world.request(start_recording, channel=CHANNEL, **body)
        if world.agora.recorders:
            break
        world.clock.elapsed += LEASE_SECONDS
    row = world.store.recordings.get(started["recording_id"])
    [sid] = world.agora.recorders
    return {**row, "sid": sid}


def _ends(world: World, recording_id: str) -> None:
    """The caller stops the recording. If we do not know the recorder, all leave, and it leaves by itself."""
    try:
        world.request(stop_recording, recording_id)
    except NoAnswer:
        world.agora.live_status = EXITED


def several(number: int, every: float) -> Callable[[World], None]:
    """Files that are put into the bucket one after the other, so many seconds apart."""

    def put(world: World) -> None:
        for place in range(number):
            world.later(place * every, partial(world.put, f"uploads/{place}.mp4", mp4(place)))

    return put


SCENES: Mapping[str, Callable[[World], None]] = {
    "file": file,
    "swept": swept,
    "recording": recording,
    "track": track,
}
