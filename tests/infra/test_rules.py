"""Which events reach which rule: the patterns of the template, matched by the local cloud's EventBridge."""

import json
from typing import Any

import pytest
from ministack.services.eventbridge import _matches_pattern  # type: ignore[import-untyped]

from recording_insights.model.media_object import SUFFIXES
from recording_insights.settings import job_prefix
from tests.infra.test_stack import of_type

Template = dict[str, Any]
BUCKET = "recordings-of-the-stage"
LONGEST_PATTERN = 2048
"""Characters. Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""
TRACK = "recordings/0/sid_channel__uid_s_7__uid_e_audio.m3u8"
TRACK_AGAIN = TRACK.replace(".m3u8", "_1741737847_12.m3u8")
OTHERS = ("a.txt", "mp4", "a.mp4.txt", "recordings/0/sid_channel.m3u8", "recordings/0/sid_channel_1.ts", "a/")


def patterns(template: Template, source: str) -> dict[str, str]:
    """The patterns of the rules on events of a service, by the descriptions of the rules."""
    rules = [rule for _, rule in of_type(template, "AWS::Events::Rule") if rule["EventPattern"]["source"] == [source]]
    return {rule["Description"].split()[0]: text_of(rule["EventPattern"]) for rule in rules}


def text_of(pattern: Any) -> str:
    """A pattern as JSON, with the name of the test's bucket in place of a reference."""
    text = json.dumps(pattern, separators=(",", ":"))
    for bucket in ("BucketsRecordings88502CEC", "BucketsRepliesBA3344E4"):
        text = text.replace(f'{{"Ref":"{bucket}"}}', json.dumps(BUCKET if "Recordings" in bucket else "replies"))
    return text


def reached(rules: dict[str, str], source: str, detail_type: str, detail: Any) -> list[str]:
    """The rules that an event reaches."""
    event = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
    return [name for name, pattern in rules.items() if _matches_pattern(pattern, event)]


def spellings(suffix: str) -> set[str]:
    return {suffix, suffix.upper(), suffix.title(), suffix.upper().swapcase(), suffix[:2] + suffix[2:].upper()}


@pytest.mark.parametrize(
    "key", [*(f"Talk{form}" for s in SUFFIXES for form in sorted(spellings(s))), TRACK, TRACK_AGAIN, *OTHERS]
)
@pytest.mark.parametrize("size", [0, 1000])
def test_an_object_is_processed_or_logged_and_never_both(every_provider: Template, key: str, size: int) -> None:
    detail = {"bucket": {"name": BUCKET}, "object": {"key": key, "size": size}}
    is_media = size > 0 and key not in OTHERS
    rules = patterns(every_provider, "aws.s3")
    assert reached(rules, "aws.s3", "Object Created", detail) == ["Media" if is_media else "Objects"]


@pytest.mark.parametrize("status", ["QUEUED", "IN_PROGRESS", "COMPLETED", "FAILED"])
@pytest.mark.parametrize("stage", ["dev", "dev2", "de"])
def test_only_ended_jobs_of_this_stage_are_reported(every_provider: Template, status: str, stage: str) -> None:
    detail = {"TranscriptionJobName": f"{job_prefix(stage)}0-1-0", "TranscriptionJobStatus": status}
    is_ours = stage == "dev" and status in ("COMPLETED", "FAILED")
    rules = patterns(every_provider, "aws.transcribe")
    assert reached(rules, "aws.transcribe", "Transcribe Job State Change", detail) == (["Ends"] if is_ours else [])


def test_a_job_of_somebody_else_in_the_account_is_not_reported(every_provider: Template) -> None:
    detail = {"TranscriptionJobName": "podcast-7", "TranscriptionJobStatus": "COMPLETED"}
    rules = patterns(every_provider, "aws.transcribe")
    assert reached(rules, "aws.transcribe", "Transcribe Job State Change", detail) == []


def test_no_rule_has_more_wildcards_than_eventbridge_takes(every_provider: Template) -> None:
    # A rule with eight was refused as too complex: https://github.com/vals-ai/Valkyrie/pull/278
    for _, rule in of_type(every_provider, "AWS::Events::Rule"):
        assert text_of(rule["EventPattern"]).count("*") <= 2


def test_no_pattern_is_longer_than_eventbridge_takes(every_provider: Template) -> None:
    for _, rule in of_type(every_provider, "AWS::Events::Rule"):
        assert len(text_of(rule["EventPattern"])) < LONGEST_PATTERN
