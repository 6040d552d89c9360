"""The credentials that Agora writes a recording with: how long, for what, and what happens if AWS gives none."""

import json
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from recording_insights.agora.storage import RecordingsBucket
from recording_insights.agora.upload_credentials import (
    LIFETIME_SECONDS,
    LONGEST_TRY_SECONDS,
    Uploader,
    write_policy,
)
from recording_insights.aws import clients
from recording_insights.errors import (
    SecretUnusable,
    UploadCredentialsError,
    UploadCredentialsUnavailable,
    UploadKeyRefused,
)
from recording_insights.http.problems import problem_of
from recording_insights.settings import AgoraSettings
from recording_insights.store.recordings import RecordingStore
from tests.unit.agora.fake_agora import FakeAgora
from tests.unit.agora.fake_sts import UPLOADER_KEY, FakeSts, refusal
from tests.unit.environment import ENVIRONMENT
from tests.unit.fakes import FakeClock, FakeSecret
from tests.unit.recordings.wanted import wanted
from wiring import uploader as uploader_of

HOUR = 3600
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LONGEST_SESSION_POLICY = 2048
"""Characters. Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html"""
RECORDING = "4736218b480a44149a6bac9cd17457c6"
FOLDER = ("recordings", RECORDING)
FORMER = {"accessKeyId": "AKIDFORMER", "secretAccessKey": "s3cr3t-former"}


def test_what_they_are_good_for() -> None:
    """In a policy, `*` stands for slashes too: what lies deeper in the folder is denied."""
    folder = f"arn:aws:s3:::recordings-bucket/recordings/{RECORDING}"
    assert json.loads(write_policy(folder)) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{folder}/*"},
            {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"{folder}/*/*"},
        ],
    }


def test_the_policy_of_a_bucket_under_a_key_of_the_customer() -> None:
    """S3 needs both actions for an upload in several parts, and a token has only rights that its policy names."""
    policy = write_policy("arn:aws:s3:::recordings-bucket/recordings/r", KEY)
    assert json.loads(policy)["Statement"][2:] == [
        {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": KEY}
    ]
    longest = write_policy(f"arn:aws-cn:s3:::{'b' * 63}/recordings/{RECORDING}", KEY)
    assert len(longest) < LONGEST_SESSION_POLICY


@pytest.mark.parametrize(
    ("region", "arn"),
    [("eu-central-1", "arn:aws:s3:::b/recordings/r"), ("cn-north-1", "arn:aws-cn:s3:::b/recordings/r")],
)
def test_a_folder_has_the_arn_of_its_partition(region: str, arn: str) -> None:
    assert RecordingsBucket("b", region).arn_of(("recordings", "r")) == arn


def test_what_aws_is_asked_and_agora_is_given(uploader: Uploader, sts: FakeSts, clock: FakeClock) -> None:
    storage = uploader.storage_config(FOLDER, clock.deadline())
    [request] = sts.requests
    assert request == {
        "Name": RECORDING,
        "Policy": write_policy(f"arn:aws:s3:::recordings-bucket/recordings/{RECORDING}"),
        "DurationSeconds": LIFETIME_SECONDS,
    }
    assert storage == {
        "vendor": 1,
        "region": 0,
        "bucket": "recordings-bucket",
        "accessKey": "ASIAEXAMPLE0",
        "secretKey": "s3cr3t-upload-0",
        "stsToken": "s3cr3t-session-0",
        "stsExpiration": int(clock.now().timestamp()) + LIFETIME_SECONDS,
        "fileNamePrefix": list(FOLDER),
    }


def test_every_start_gets_its_own(start: Any, sts: FakeSts, vendor: FakeAgora) -> None:
    ids = [start(wanted(channel)).recording["recording_id"] for channel in ("a", "b")]
    assert [request["Name"] for request in sts.requests] == ids
    tokens = {recorder["clientRequest"]["storageConfig"]["stsToken"] for recorder in vendor.recorders.values()}
    assert len(tokens) == 2


def test_they_are_made_before_agora_is_called(start: Any, sts: FakeSts, vendor: FakeAgora) -> None:
    made: list[int] = []
    vendor.before = lambda call: made.append(len(sts.requests))
    start()
    assert made == [1, 1]


def test_a_rotated_key_is_read_again(uploader: Uploader, clock: FakeClock) -> None:
    secret = FakeSecret(FORMER, UPLOADER_KEY)
    credentials = replace(uploader, key=secret).credentials_for(FOLDER, clock.deadline())
    assert credentials.access_key == "ASIAEXAMPLE1"
    assert secret.reads == [False, True]
    assert clock.naps == []


def test_a_key_that_is_refused_twice_is_a_matter_for_an_operator(
    uploader: Uploader, sts: FakeSts, clock: FakeClock
) -> None:
    secret = FakeSecret(FORMER, FORMER)
    with pytest.raises(UploadKeyRefused, match=r"\(InvalidClientTokenId\); `make agora-key"):
        replace(uploader, key=secret).credentials_for(FOLDER, clock.deadline())
    assert (secret.reads, len(sts.requests)) == ([False, True], 2)


def test_a_user_without_the_right_says_so(uploader: Uploader, sts: FakeSts, clock: FakeClock) -> None:
    sts.script = [refusal("AccessDenied", 403)] * 2
    with pytest.raises(UploadKeyRefused, match=r"may not call sts:GetFederationToken .*deploy the stack"):
        uploader.credentials_for(FOLDER, clock.deadline())


FAULTS = [
    refusal("InternalFailure", 500),
    refusal("ServiceUnavailable", 503),
    refusal("Throttling", 400),
    EndpointConnectionError(endpoint_url="https://s3cr3t"),
    ReadTimeoutError(endpoint_url="https://s3cr3t"),
    ResponseParserError("s3cr3t"),
    ValueError("Invalid header value b's3cr3t'"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_a_passing_fault_is_tried_once_more(
    uploader: Uploader, sts: FakeSts, clock: FakeClock, fault: Exception
) -> None:
    sts.script = [fault]
    assert uploader.credentials_for(FOLDER, clock.deadline()).access_key == "ASIAEXAMPLE1"
    sts.script = [fault, fault]
    with pytest.raises(UploadCredentialsUnavailable):
        uploader.credentials_for(FOLDER, clock.deadline())
    assert clock.naps == [0.5, 0.5]


def test_without_time_aws_is_not_asked(uploader: Uploader, sts: FakeSts, clock: FakeClock) -> None:
    with pytest.raises(UploadCredentialsUnavailable, match="no time"):
        uploader.credentials_for(FOLDER, clock.deadline(LONGEST_TRY_SECONDS - 0.1))
    assert sts.requests == []
    sts.script = [refusal("InternalFailure", 500)]
    with pytest.raises(UploadCredentialsUnavailable, match="InternalFailure"):
        uploader.credentials_for(FOLDER, clock.deadline(LONGEST_TRY_SECONDS + 0.1))
    assert clock.naps == []


def test_an_answer_without_credentials_is_none(uploader: Uploader, clock: FakeClock) -> None:
    class Empty:
        def get_federation_token(self, **_: Any) -> dict[str, Any]:
            return {}

    empty: Any = lambda *_: Empty()  # noqa: E731
    with pytest.raises(UploadCredentialsUnavailable, match="KeyError"):
        replace(uploader, sts=empty).credentials_for(FOLDER, clock.deadline())


def test_a_missing_key_names_the_command(uploader: Uploader, clock: FakeClock) -> None:
    def missing(fresh: bool) -> Mapping[str, str]:
        raise SecretUnusable("recording-insights/dev/agora-uploader", "it does not exist")

    with pytest.raises(SecretUnusable, match=r"secret recording-insights/dev/agora-uploader: .*; `make agora-key"):
        replace(uploader, key=missing).credentials_for(FOLDER, clock.deadline())


@pytest.mark.parametrize(
    "faults",
    [
        [refusal("SignatureDoesNotMatch", 403)] * 2,
        [refusal("AccessDenied", 403)] * 2,
        *([fault] * 2 for fault in FAULTS),
    ],
)
def test_a_start_without_credentials_fails_before_agora_and_lets_go_of_the_channel(
    start: Any, store: RecordingStore, sts: FakeSts, vendor: FakeAgora, table: Any, faults: list[Exception]
) -> None:
    sts.script = list(faults)
    with pytest.raises(UploadCredentialsError) as failure:
        start()
    assert vendor.calls == []
    [row] = [item for item in table.scan()["Items"] if item["sk"] == "RECORDING"]
    assert (row["status"], row["reason"]) == ("failed", str(failure.value))
    assert store.claims.find("team") is None
    problem = problem_of(failure.value)
    assert problem.status in (500, 503)
    assert problem.detail == row["reason"]
    assert (problem.retry_after is None) == (problem.status == 500)
    assert "s3cr3t" not in "".join(traceback.format_exception(failure.value))
    assert start().new


def test_nothing_shows_them(uploader: Uploader, clock: FakeClock) -> None:
    credentials = uploader.credentials_for(FOLDER, clock.deadline())
    assert "s3cr3t" not in repr(credentials)
    assert "ASIA" not in repr(credentials)


def test_the_wiring_hands_on_the_key_of_the_customer() -> None:
    settings = AgoraSettings.from_env({**ENVIRONMENT, "KMS_KEY_ARN": KEY})
    assert uploader_of(settings, aws_region="us-east-1").kms_key_arn == KEY


def test_the_wiring_to_sts(fake_aws: None) -> None:
    client = clients.sts("AKIDONE", "secret")
    assert clients.sts("AKIDONE", "secret") is client
    assert clients.sts("AKIDTWO", "secret") is not client
    config: Any = client.meta.config
    assert config.connect_timeout + config.read_timeout <= LONGEST_TRY_SECONDS
    assert config.retries["total_max_attempts"] == 1


def test_a_secret_that_aws_does_not_hand_out_is_a_passing_fault(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    def denied(*_: Any, **__: Any) -> str:
        raise GetParameterError("An error occurred (ThrottlingException): s3cr3t")

    monkeypatch.setattr(parameters, "get_secret", denied)
    uploader = uploader_of(AgoraSettings.from_env(ENVIRONMENT), aws_region="us-east-1")
    with pytest.raises(UploadCredentialsUnavailable) as failure:
        uploader.credentials_for(FOLDER, clock.deadline())
    assert str(failure.value) == ("secret recording-insights/dev/agora-uploader: AWS did not return it")
