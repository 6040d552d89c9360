"""Data of a stage that counts has old versions, and cannot be deleted by mistake."""

import json
from pathlib import Path

import pytest

from tests.infra.conftest import synthesise
from tests.infra.test_stack import of_type


@pytest.mark.parametrize(
    ("stage", "retain", "protected"), [("prod", "true", True), ("prod", "false", False), ("dev", "true", False)]
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
