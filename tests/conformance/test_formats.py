"""A real file of each suffix through every provider: it arrives in a format that the vendor's stand-in takes."""

from collections.abc import Mapping

import pytest

from recording_insights.model.media_object import SUFFIXES
from recording_insights.providers.registry import PROVIDERS, formats_of
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import RECORDINGS
from tests.unit.conversion.conftest import make_media
from tests.ways_of_waiting import ParameterSet, each

FILES: Mapping[str, tuple[str, str]] = {
    ".mp4": ("aac", "mp4"),
    ".m4a": ("aac", "ipod"),
    ".mp3": ("libmp3lame", "mp3"),
    ".wav": ("pcm_s16le", "wav"),
    ".webm": ("libopus", "webm"),
    ".ogg": ("vorbis", "ogg"),
    ".opus": ("libopus", "ogg"),
    ".flac": ("flac", "flac"),
    ".aac": ("aac", "adts"),
    ".aiff": ("pcm_s16be", "aiff"),
    ".mov": ("aac", "mov"),
    ".mkv": ("libopus", "matroska"),
}
"""Codec and container of each suffix, by FFmpeg's names."""


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return {suffix: make_media(codec, container) for suffix, (codec, container) in FILES.items()}


def every_suffix() -> list[ParameterSet]:
    return each([(name, suffix) for name in PROVIDERS for suffix in SUFFIXES])


@pytest.mark.parametrize(("provider", "suffix"), every_suffix())
def test_a_file_of_any_suffix_arrives_in_a_format_that_the_provider_takes(
    make_scene: MakeScene, provider: str, suffix: str, files: Mapping[str, bytes]
) -> None:
    scene = make_scene(key=f"Talk{suffix.upper()}", content=files[suffix])

    assert scene.run() == "done", scene.row

    is_taken = suffix.removeprefix(".") in formats_of(provider)
    assert ("prepared" not in scene.row) == is_taken
    assert scene.entered.count("Prepare media") == (0 if is_taken else 1)
    assert scene.insights().transcript
    assert scene.paid == 1


def test_a_file_without_sound_fails_with_the_reason_and_costs_nothing(make_scene: MakeScene) -> None:
    scene = make_scene(key="Talk.mkv", content=b"\x1aE\xdf\xa3" + bytes(100))

    assert scene.run() == "failed"
    assert "its format is mkv" in scene.reason
    assert "it cannot be read as media" in scene.reason
    assert scene.paid == 0
    assert [key for bucket, key in scene.s3.objects if bucket == RECORDINGS] == ["Talk.mkv"]
