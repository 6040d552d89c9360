"""What `make demo RECORDING=…` says of files it cannot take."""

from pathlib import Path

import av
import pytest

from sandbox.demo.follow_recording import DemoError, check_media
from tests.deployed import SAMPLE


def test_the_sample_is_taken() -> None:
    assert 40 < check_media(SAMPLE) < 60


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("nothing.mp4", None, "there is no such file"),
        ("talk.ogg", b"OggS", "takes .mp4, .m4a, .mp3, .wav"),
        ("text.wav", b"this is no sound", "cannot be read as media"),
        ("empty.mp3", b"", "cannot be read as media"),
    ],
)
def test_what_it_cannot_take(tmp_path: Path, name: str, content: bytes | None, complaint: str) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DemoError, match=complaint):
        check_media(file)


def test_a_film_without_sound(tmp_path: Path) -> None:
    file = tmp_path / "silent.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode())
    with pytest.raises(DemoError, match="has no sound"):
        check_media(file)
