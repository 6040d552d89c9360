"""What the doctor takes to be right is what the template makes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from operations.dead_letters import QUEUES
from operations.doctor.bucket import CORS_RULE, is_same_statement, wanted_statements
from tests.infra.test_stack import of_type
from tests.unit.operations.doctor.fake_stage import OUTPUTS, FakeStage

Template = dict[str, Any]


def test_the_rule_for_pages_is_that_of_the_template(every_setting: Template) -> None:
    [rule] = [
        rule
        for _, bucket in of_type(every_setting, "AWS::S3::Bucket")
        for rule in bucket.get("CorsConfiguration", {}).get("CorsRules", [])
    ]
    renamed = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
    assert {renamed.get(key, key): value for key, value in rule.items() if key != "AllowedOrigins"} == CORS_RULE


def test_the_policies_of_the_buckets_have_the_statements_that_the_doctor_looks_for(every_setting: Template) -> None:
    patient = replace(FakeStage(None).patient, deployed={})
    for _, policy in of_type(every_setting, "AWS::S3::BucketPolicy"):
        name = policy["Bucket"]["Ref"]
        statements = [_plain(each) for each in policy["PolicyDocument"]["Statement"]]
        for what, wanted in wanted_statements(patient, name).items():
            assert any(is_same_statement(wanted, each, exactly=True) for each in statements), (name, what)


def _plain(value: Any) -> Any:
    """The value with the ARNs of buckets named by their logical ids."""
    if isinstance(value, Mapping):
        if "Fn::GetAtt" in value:
            return f"arn:aws:s3:::{value['Fn::GetAtt'][0]}"
        if "Fn::Join" in value:
            return "".join(map(_plain, value["Fn::Join"][1]))
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def test_the_outputs_that_the_doctor_reads_are_those_of_the_stack(every_setting: Template) -> None:
    read = {*OUTPUTS, *(name for queue in QUEUES for name in (queue.output, queue.back_to) if name)}
    assert read <= set(every_setting["Outputs"])
