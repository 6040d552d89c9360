"""`make demo RECORDING=…` refuses a file that it cannot record, and says why."""

from pathlib import Path

import av
import pytest

from sandbox.demo.recording_plan import DemoError, check_media
from sandbox.sample.conversation import SAMPLE


def test_the_sample_is_accepted() -> None:
    assert 40 < check_media(SAMPLE) < 60


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("nothing.mp4", None, "there is no such file"),
        ("talk.ogg", b"OggS", "one of these: .mp4, .m4a, .mp3, .wav"),
        ("text.wav", b"this is no audio", "cannot be read as audio or video"),
        ("empty.mp3", b"", "cannot be read as audio or video"),
    ],
)
def test_a_file_that_cannot_be_recorded_is_refused(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DemoError, match=complaint):
        check_media(file)


def test_a_video_without_audio_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "silent.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode())
    with pytest.raises(DemoError, match="has no audio"):
        check_media(file)
