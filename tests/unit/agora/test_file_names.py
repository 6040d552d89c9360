"""What is channel and what is ending in the names of Agora's files. The first names are those of real recordings."""

import pytest

from recording_insights.agora.file_names import AgoraName

SID = "b1946ac92492d2347c6235b4d2611184"
STAMP, UNIX_MS = "20260813234113969", "1786664473969"
OF_UID = "__uid_s_1__uid_e_audio"
CHANNELS = [
    "team",
    "room_one",
    "_",
    "__",
    "_0",
    "0_1",
    "",
    "ride_17822",
    "match_1755128473969",
    f"match_{STAMP}",
    "a__uid_s_1",
    "uid_e_audio",
    "日本語 – Ünïcode 🎙_7",
    "x" * 400 + "_" * 400,
]


def parsed(name: str, channel: str = "") -> AgoraName:
    found = AgoraName.parse(name, channel=channel)
    assert found, name
    return found


@pytest.mark.parametrize(
    ("name", "channel", "uid", "medium", "rest"),
    [
        (
            f"88032b23494f35ba2014959c146341dd_match_9UYg8wfuQgdIVaVw5hGR__uid_s_1__uid_e_audio_{STAMP}.ts",
            *("match_9UYg8wfuQgdIVaVw5hGR", "1", "audio", STAMP),
        ),
        (
            "972b2f73e8408e687e2819a2d9e70693_ride_17822__uid_s_1000__uid_e_video_20240203052751685.ts",
            *("ride_17822", "1000", "video", "20240203052751685"),
        ),
        (
            "03f7acf17547cbd851d92ca515b6d069_MT_Test__uid_s_3108485562__uid_e_av.m3u8",
            *("MT_Test", "3108485562", "av", None),
        ),
        ("sid713476478245_cnameagora__uid_s_123__uid_e_video_22194679897_3.m3u8", "cnameagora", "123", "video", None),
    ],
)
def test_real_names(name: str, channel: str, uid: str, medium: str, rest: str | None) -> None:
    found = parsed(name)
    assert (found.channel, found.uid, found.medium) == (channel, uid, medium)
    assert rest is None or found.rest == rest


@pytest.mark.parametrize("known", [False, True], ids=["channel unknown", "channel known"])
@pytest.mark.parametrize("recorder", ["", "bak0_", "bak11_"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_everything_between_sid_and_ending_is_the_channel(channel: str, recorder: str, known: bool) -> None:
    stem = f"{recorder}{SID}_{channel}"
    endings = {
        f"{OF_UID}.m3u8": ("1", None, None),
        f"{OF_UID}_22194679897_3.m3u8": ("1", "22194679897", 3),
        f"{OF_UID}_{STAMP}.ts": ("1", STAMP, None),
        f"{OF_UID}_{STAMP}.webm": ("1", STAMP, None),
        ".m3u8": (None, None, None),
        "_1741737847_0.m3u8": (None, "1741737847", 0),
        f"_{STAMP}.ts": (None, STAMP, None),
        f"_{UNIX_MS}.ts": (None, UNIX_MS, None),
        "_0.mp4": (None, "0", None),
        "_17.MP4": (None, "17", None),
    }
    for ending, expected in endings.items():
        found = parsed(stem + ending, channel if known else "")
        assert (found.sid, found.channel) == (SID, channel), ending
        assert (found.uid, found.rest, found.copy) == expected
        assert found.recorder == {"": 0, "bak0_": 1, "bak11_": 12}[recorder]
        assert found.mp4_number == (int(expected[1] or 0) if ending.lower().endswith("mp4") else None)
        assert found.playlist == f"{stem}{OF_UID if found.uid else ''}.m3u8"


@pytest.mark.parametrize(
    ("name", "channel", "spelled", "rest"),
    [
        ("a_1741737847_3.m3u8", "a_1741737847_3", "a_1741737847_3", None),
        ("a_1741737847_3.m3u8", "a", "a", "1741737847"),
        ("a_12_3.m3u8", "a", "a", "12"),
        ("a_12_3.m3u8", "a_12_3", "a_12_3", None),
        ("ride_17822.mp4", "ride_17822", "ride_17822", None),
        ("a__uid_s_1__uid_e_audio_0.mp4", "a__uid_s_1__uid_e_audio", "a__uid_s_1__uid_e_audio", "0"),
        ("the-1st- room-2_0.mp4", "the_1st. room_2", "the-1st- room-2", "0"),
        ("the_1st- room_2_0.mp4", "the_1st. room_2", "the_1st- room_2", "0"),
        ("another_7.mp4", "the_1st", "another", "7"),
    ],
)
def test_the_known_channel_decides_what_is_channel_and_what_is_number(
    name: str, channel: str, spelled: str, rest: str | None
) -> None:
    found = parsed(f"{SID}_{name}", channel)
    assert (found.channel, found.rest, found.uid) == (spelled, rest, None)


@pytest.mark.parametrize("name", ["a_b.m3u8", "a_1741737847_3.m3u8", "a__uid_s_1__uid_e_audio.m3u8"])
@pytest.mark.parametrize("recorder", ["", "bak0_"])
def test_a_playlist_that_is_no_copy_has_no_number(name: str, recorder: str) -> None:
    found = AgoraName.of_playlist(f"{recorder}{SID}_{name}")
    assert found
    assert (found.playlist, found.rest, found.copy) == (f"{recorder}{SID}_{name}", None, None)


@pytest.mark.parametrize(
    "name",
    [
        "talk.mp4",
        f"{SID[:-1]}_team_0.mp4",
        f"{SID}_team_0",
        f"{SID}_a/b_0.mp4",
        f"{SID}.mp4",
        f"{SID}_team__uid_s_1__uid_e_0.mp4",
    ],
)
def test_other_names_are_none_of_agoras(name: str) -> None:
    assert AgoraName.parse(name) is None
    assert AgoraName.of_playlist(name) is None
