"""The templates that are checked have every setting, and definitions that a validator can read."""

import json

from infra.settings import SETTINGS, StackSettings
from lint_cloud.templates import CONTEXTS, EVERY_SETTING, definition_of


def test_one_template_has_every_setting_that_fits_to_all_others() -> None:
    assert EVERY_SETTING.keys() | CONTEXTS["residency"].keys() == SETTINGS.keys()
    assert SETTINGS.keys() - EVERY_SETTING.keys() == {"residency"}
    for context in CONTEXTS.values():
        StackSettings.from_context(context)


def test_a_definition_has_samples_for_what_only_a_deployment_knows() -> None:
    parts = [
        '{"Resource": "arn:',
        {"Ref": "AWS::Partition"},
        ':states:::lambda:invoke", "Function": "',
        {"Fn::GetAtt": ["Poll", "Arn"]},
        '", "Table": "',
        {"Ref": "Insights"},
        '"}',
    ]
    assert definition_of(json.loads(json.dumps({"Fn::Join": ["", parts]}))) == {
        "Resource": "arn:aws:states:::lambda:invoke",
        "Function": "arn:aws:lambda:eu-central-1:111122223333:function:Poll",
        "Table": "Insights",
    }
