"""Data of a stage that counts has old versions, and cannot be deleted by mistake."""

import json
from pathlib import Path

import pytest

from tests.infra.conftest import synthesise, template_with_every_provider
from tests.infra.test_stack import of_type


@pytest.mark.parametrize(
    ("stage", "retain", "protected"),
    [("prod", "true", True), pytest.param("prod", "false", False, marks=pytest.mark.matrix), ("dev", "true", False)],
)
def test_stack_table_and_buckets_are_protected(tmp_path: Path, stage: str, retain: str, protected: bool) -> None:
    template = synthesise(tmp_path, {"stage": stage, "provider": "assemblyai", "retainData": retain})
    [(_, table)] = of_type(template, "AWS::DynamoDB::GlobalTable")
    [replica] = table["Replicas"]
    assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert replica.get("DeletionProtectionEnabled", False) is protected
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["artifacts"]["Stack"]["properties"].get("terminationProtection", False) is protected
    for _, bucket in of_type(template, "AWS::S3::Bucket"):
        [old] = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Id") == "OldVersions"] or [{}]
        assert old.get("NoncurrentVersionExpiration") == ({"NoncurrentDays": 7} if protected else None)
        assert ("VersioningConfiguration" in bucket) is protected


def test_what_stays_refers_to_nothing_else_so_that_it_can_be_imported_alone() -> None:
    """CloudFormation imports into a stack of nothing else, and only what says what becomes of it at a deletion."""
    resources = template_with_every_provider()["Resources"]
    data = [each for each in resources.values() if each["Type"] in ("AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable")]
    assert [each["DeletionPolicy"] for each in data] == ["Retain"] * 3
    text = json.dumps(data)
    assert [name for name in resources if f'"{name}"' in text] == []
    assert not any("DependsOn" in each or "Condition" in each for each in data)


def test_replies_go_after_their_days_and_the_sweep_knows_the_others(tmp_path: Path) -> None:
    days = {"repliesDays": "60", "mediaDays": "30", "insightsDays": "365"}
    template = synthesise(tmp_path, {"stage": "prod", "provider": "assemblyai", **days})
    by_rules = {
        name: {rule.get("Prefix", ""): rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
        for name, bucket in of_type(template, "AWS::S3::Bucket")
        if (rules := bucket["LifecycleConfiguration"]["Rules"])
    }
    [recordings, replies] = sorted(by_rules.values(), key=len)
    assert recordings == {}, "by its rules a bucket cannot tell media from segments"
    assert replies == {"": 60, "callbacks/": 14, "deliveries/": 14, "outputs/": 14}
    given = [
        {name: value for name, value in function["Environment"]["Variables"].items() if name.endswith("_DAYS")}
        for _, function in of_type(template, "AWS::Lambda::Function")
        if function["Handler"].startswith("events.sweep")
    ]
    assert given == [{"MEDIA_DAYS": "30", "INSIGHTS_DAYS": "365"}]
