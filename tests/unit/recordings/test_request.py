"""What POST /recordings takes, and that every refusal names its field."""

from typing import Any

import pytest

from recording_insights.agora.client_request import RecorderSettings
from recording_insights.agora.fields.uids import LARGEST_UID
from recording_insights.agora.recorder import RecorderOrder
from recording_insights.agora.storage import REGIONS
from recording_insights.errors import InvalidRequest
from recording_insights.providers.registry import PROVIDERS, validate_options
from recording_insights.recordings.request import RecordingRequest, recorder_uid
from sandbox.stand_ins.agora.checks import BadParameter
from sandbox.stand_ins.agora.rules import check_area


def read(body: dict[str, Any], *, aws_region: str = "eu-central-1", residency: str | None = None) -> RecordingRequest:
    return RecordingRequest.from_body(
        body,
        providers=tuple(PROVIDERS),
        default_provider="marsview",
        validate_options=validate_options,
        aws_region=aws_region,
        residency=residency,
    )


def test_the_defaults() -> None:
    request = read({"channel": "team"})
    recorder = RecorderSettings.read("mix", {}, max_hours=24)
    assert request == RecordingRequest("team", recorder_uid("team"), "marsview", recorder, None, {}, None, 24)
    assert request.attributes == {
        "channel": "team",
        "uid": recorder_uid("team"),
        "mode": "mix",
        "provider": "marsview",
        "options": {},
        "max_hours": 24,
        "audio_only": False,
        "channel_type": "communication",
        "max_idle_seconds": 300,
        "audio_profile": 0,
    }


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("channel", {}),
        ("channel", {"channel": ""}),
        ("channel", {"channel": 7}),
        ("channel", {"channel": "x" * 64}),
        ("channel", {"channel": "é" * 32}),
        ("channel", {"channel": "é"}),
        ("channel", {"channel": "a/b"}),
        ("channel", {"channel": "a\n"}),
        ("channel", {"channel": "\ud800"}),
        ("failover", {"channel": "c", "failover": "symbl"}),
        ("failover", {"channel": "c", "failover": ["symbl", "symbl"]}),
        ("failover", {"channel": "c", "failover": ["gladia"]}),
        ("uid", {"channel": "c", "uid": 0}),
        ("uid", {"channel": "c", "uid": str(2**32)}),
        ("uid", {"channel": "c", "uid": "9" * 5000}),
        ("uid", {"channel": "c", "uid": None}),
        ("uid", {"channel": "c", "uid": "٧"}),
        ("mode", {"channel": "c", "mode": "MIX"}),
        ("mode", {"channel": "c", "mode": None}),
        ("mode", {"channel": "c", "mode": []}),
        ("provider", {"channel": "c", "provider": "nobody"}),
        ("audio_only", {"channel": "c", "audio_only": 1}),
        ("options", {"channel": "c", "options": []}),
        ("options.models", {"channel": "c", "options": {"models": []}}),
        ("options.colour", {"channel": "c", "options": {"colour": 1}}),
        ("token", {"channel": "c", "token": ""}),
        ("token", {"channel": "c", "token": "x" * 2049}),
        ("token", {"channel": "c", "token": "é"}),
        ("max_hours", {"channel": "c", "max_hours": 0}),
        ("max_hours", {"channel": "c", "max_hours": 25}),
        ("max_idle_seconds", {"channel": "c", "max_idle_seconds": 4}),
        ("max_idle_seconds", {"channel": "c", "max_idle_seconds": 2_592_001}),
        ("speakers", {"channel": "c", "speakers": ["Ada"]}),
        ("speakers.A", {"channel": "c", "speakers": {"A": {"A": "Ada"}}}),
        ("speakers.A", {"channel": "c", "mode": "web", "url": "https://example.org", "speakers": {"A": ""}}),
        *(
            (field, {"channel": "c", "mode": "individual", "speakers": speakers})
            for field, speakers in (
                ("speakers", None),
                ("speakers", {str(uid): "Ada" for uid in range(1, 51)}),
                ("speakers.0", {"0": "Ada"}),
                ("speakers.ada", {"7": "Ada", "ada": "Ada"}),
                ("speakers.7", {"7": "  "}),
                ("speakers.7", {"7": "x" * 101}),
                ("speakers.7", {"7": "\u200bAda"}),
            )
        ),
        ("chanel", {"channel": "c", "chanel": "d"}),
    ],
)
def test_a_refusal_names_its_field(field: str, body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read(body)
    assert refusal.value.field == field


def fits(bucket_region: int, area: str) -> bool:
    """Whether Agora writes to the bucket from this area."""
    try:
        check_area({"region": bucket_region}, area)
    except BadParameter:
        return False
    return True


def accepts(aws_region: str, area: str) -> bool:
    try:
        read({"channel": "c", "region": area}, aws_region=aws_region)
    except InvalidRequest:
        return False
    return True


def test_the_area_is_the_buckets() -> None:
    areas = [(aws_region, area) for aws_region in REGIONS for area in ("CN", "AP", "EU", "NA")]
    assert [(*pair, accepts(*pair)) for pair in areas] == [(*pair, fits(REGIONS[pair[0]], pair[1])) for pair in areas]


@pytest.mark.parametrize("mode", [{}, {"mode": "individual"}, {"mode": "web", "url": "https://example.org"}])
def test_the_area_is_sent_if_it_was_given(mode: dict[str, Any]) -> None:
    assert read({"channel": "c", "region": "EU", **mode}).recorder.acquire_request(1)["region"] == "EU"
    assert "region" not in read({"channel": "c", **mode}).recorder.acquire_request(1)


@pytest.mark.parametrize(("aws_region", "residency", "area"), [("eu-west-3", "EU", "EU"), ("us-east-1", "US", "NA")])
def test_with_a_residency_the_recorder_stays_in_the_area_of_the_bucket(
    aws_region: str, residency: str, area: str
) -> None:
    request = read({"channel": "c"}, aws_region=aws_region, residency=residency)
    assert request.order.settings.acquire_request(1)["region"] == request.attributes["region"] == area
    with pytest.raises(InvalidRequest, match=r"^region_affinity: "):
        read({"channel": "c", "region_affinity": 1}, aws_region=aws_region, residency=residency)


def test_a_note_of_the_consent_is_kept_and_sent_to_nobody() -> None:
    consent = "Told by announcement at the start; ticket 4711"
    request = read({"channel": "c", "consent": consent})
    assert request.attributes["consent"] == consent
    sent = (request.order.settings.acquire_request(1), request.order.settings.start_request(), request.options)
    assert consent not in repr(sent)
    assert request.fingerprint != read({"channel": "c"}).fingerprint


@pytest.mark.parametrize(
    "consent", ["", " ", "x" * 501, "two\nlines", "\u202eright to left", True, {"obtained": "yes"}]
)
def test_a_note_of_the_consent_is_one_line_of_text(consent: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^consent: must be a text of 1 to 500 printable characters"):
        read({"channel": "c", "consent": consent})


@pytest.mark.parametrize(
    ("aws_region", "advice"),
    [
        ("eu-central-1", "must be EU or left out"),
        ("ap-east-1", "must be AP or left out"),
        ("us-west-2", "must be NA or left out"),
        ("ca-central-1", "must be NA or left out"),
        ("sa-east-1", "must be left out"),
        ("me-south-1", "must be left out"),
        ("af-south-1", "must be left out"),
    ],
)
def test_a_refused_area_says_which_one_fits(aws_region: str, advice: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read({"channel": "c", "region": "CN"}, aws_region=aws_region)
    assert refusal.value.field == "region"
    assert refusal.value.detail.startswith(f"{advice}: ")
    with pytest.raises(InvalidRequest, match="must be one of CN, AP, EU, NA"):
        read({"channel": "c", "region": "cn"}, aws_region=aws_region)


def test_the_speakers_of_a_mix_have_names_by_the_providers_labels() -> None:
    names = {"A": "Ada", "spk_0": "Бета", "ada@example.org": "Ada"}
    assert read({"channel": "c", "speakers": names}).attributes["speakers"] == names


def test_speakers_have_names_in_any_script() -> None:
    names = {str(uid): "Ада Лавлейс " * 8 for uid in range(1, 50)}
    request = read({"channel": "c", "mode": "individual", "speakers": names})
    assert request.speakers == request.attributes["speakers"] == names
    others = read({"channel": "c", "mode": "individual", "speakers": {"1": "Grace"}})
    assert len({request.fingerprint, others.fingerprint, read({"channel": "c", "mode": "individual"}).fingerprint}) == 3
    assert "speakers" not in read({"channel": "c", "mode": "individual"}).attributes


def test_modes_of_a_channel_share_its_recorder() -> None:
    mix, individual = read({"channel": "c"}), read({"channel": "c", "mode": "individual", "token": "007eJx"})
    assert (mix.claimed, mix.uid) == (individual.claimed, individual.uid)
    assert individual.token == "007eJx"
    with pytest.raises(InvalidRequest, match="channel: may hold"):
        read({"channel": "é", "mode": "individual"})


@pytest.mark.parametrize("channel", ["x" * 63, "a b", "!#$%&()+-:;<=.>?@[]^_{}|~,", "7"])
def test_channels_that_agora_takes(channel: str) -> None:
    assert read({"channel": channel}).channel == channel


@pytest.mark.parametrize(("uid", "text"), [(1, "1"), ("1", "1"), (LARGEST_UID, "4294967295"), ("527841", "527841")])
def test_a_uid_is_digits(uid: Any, text: str) -> None:
    assert read({"channel": "c", "uid": uid}).uid == text


def test_the_recorders_own_uid_is_stable_and_in_range() -> None:
    uids = {recorder_uid(f"channel {number}") for number in range(500)}
    assert len(uids) == 500
    assert all(1 <= int(uid) < LARGEST_UID for uid in uids)
    assert recorder_uid("team") == "1889134546"


def test_the_token_stays_out_of_sight() -> None:
    request = read({"channel": "c", "token": "007eJx"})
    assert request.token == "007eJx"
    assert "007eJx" not in repr(request)
    assert "token" not in request.attributes
    assert request.fingerprint == read({"channel": "c"}).fingerprint
    assert request.fingerprint != read({"channel": "c", "uid": 5}).fingerprint


def test_agoras_client_gets_an_order() -> None:
    request = read({"channel": "c", "uid": 5, "token": "007eJx", "max_hours": 2})
    assert request.order == RecorderOrder("c", "5", request.recorder, 2, "007eJx")
    assert request.order.mode == "mix"
    assert "007eJx" not in repr(request.order)
