"""How an answer names the track that something comes from."""

from recording_insights.recordings.track_names import distinct_names, track_prefix


def test_a_name_that_two_uids_share_stands_with_the_uid() -> None:
    speakers = {"1": "Ann", "2": "Ann", "3": "Bob"}
    assert distinct_names(speakers) == {"1": "Ann (1)", "2": "Ann (2)", "3": "Bob"}


def test_a_track_has_its_speaker_s_name_or_its_uid() -> None:
    assert track_prefix({"uid": "1"}, {"1": "Ann"}, ": ") == "Ann: "
    assert track_prefix({"uid": "2"}, {"1": "Ann"}, ": ") == "2: "
    assert track_prefix({"uid": "1", "continuation": 1}, {"1": "Ann"}, " ") == "Ann, part 2 "


def test_a_mix_has_no_name() -> None:
    assert track_prefix({"part": 0}, {"1": "Ann"}, ": ") == ""
