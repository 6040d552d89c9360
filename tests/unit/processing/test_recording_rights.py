"""The session policy of one recording: what it names, how it names it, and that AWS takes its length."""

import json
from typing import Any

import pytest

from recording_insights.aws.role_sessions import LONGEST_POLICY
from recording_insights.processing.recording_rights import session_name, session_policy

ID, BUCKET = "a" * 32, "arn:aws:s3:::talks"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def statements(key: str, **given: Any) -> list[dict[str, Any]]:
    policy = json.loads(session_policy(ID, key, bucket="talks", **given))
    assert policy["Version"] == "2012-10-17", "only this version has escapes"
    assert {statement.pop("Effect") for statement in policy["Statement"]} == {"Allow"}
    return list(policy["Statement"])


def test_a_file_is_the_one_object() -> None:
    read, listed, write, rows = statements("uploads/talk.wav")
    assert read == {"Action": "s3:GetObject", "Resource": [f"{BUCKET}/uploads/talk.wav", f"{BUCKET}/prepared/{ID}/*"]}
    assert listed["Condition"] == {"StringLike": {"s3:prefix": ["uploads/talk.wav"]}}
    assert write == {"Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": f"{BUCKET}/prepared/{ID}/*"}
    assert rows["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ID}}
    assert "dynamodb:Scan" not in rows["Action"]


@pytest.mark.parametrize(
    ("key", "own"),
    [
        (f"recordings/{ID}/sid_c__uid_s_7__uid_e_audio.m3u8", [f"recordings/{ID}/*"]),
        ("sid_c__uid_s_7__uid_e_audio.m3u8", ["sid_c__uid_s_7__uid_e_audio*", "bak*"]),
        ("by hand?/sid_c.m3u8", ["by hand${?}/*"]),
    ],
)
def test_a_track_is_its_folder(key: str, own: list[str]) -> None:
    read, listed, *_ = statements(key)
    assert read["Resource"] == [*(f"{BUCKET}/{each}" for each in own), f"{BUCKET}/prepared/{ID}/*"]
    assert listed["Condition"]["StringLike"]["s3:prefix"] == own


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("a*b?c$d/${x}.wav", "a${*}b${?}c${$}d/${$}{x}.wav"),
        ('a "b"\\c.wav', 'a "b"\\c.wav'),
        ("uploads/会议 1é\n2.wav", "uploads/* 1*2.wav"),
        ("x" * 1000, "x" * 299 + "*"),
        ("x" * 298 + "会议.wav", "x" * 298 + "*"),
    ],
)
def test_a_key_is_named_exactly_or_wider(key: str, pattern: str) -> None:
    assert statements(key)[0]["Resource"][0] == f"{BUCKET}/{pattern}"


@pytest.mark.parametrize("character", ["*", "?", "$", '"', "\\", "x", "é", "会", "\n"])
@pytest.mark.parametrize("folder", [True, False])
def test_the_longest_policy_fits(character: str, folder: bool) -> None:
    name = character * 1000
    for key in (f"{name}/{name}.m3u8" if folder else f"{name}.m3u8", f"{name}.wav"):
        policy = session_policy(ID, key, bucket="b" * 63, partition="aws-us-gov", kms_key_arn=KEY)
        assert len(policy) <= LONGEST_POLICY
        assert all(" " <= each <= "~" for each in policy)


def test_the_name_of_the_session_is_one_that_aws_takes() -> None:
    assert session_name(ID) == f"prepare-{ID}"
    assert session_name("ü/ b\n*" * 20) == ("prepare-" + "----b--"[1:] * 20)[:64]


def test_the_customers_key_is_named_if_there_is_one() -> None:
    *_, key = statements("a.wav", kms_key_arn=KEY)
    assert key == {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": KEY}
