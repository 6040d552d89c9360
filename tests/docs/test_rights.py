"""docs/security.md has the rights of every function, as the template with every provider and a model gives them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recording_insights.providers.registry import PROVIDERS
from tests.infra.conftest import template_with_every_provider

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
HEAD = ("| function | table | media | replies | secrets | other |", "|---|---|---|---|---|---|")
_OF_ALL = ("logs", "xray")
"""Services that every function writes to, in its own place."""
_OTHERS = {
    "states:StartExecution": "starts executions",
    "states:DescribeExecution": "",  # goes with the right to start, or to find another execution
    "states:SendTaskSuccess": "ends waits",
    "states:StopExecution": "stops others",
    "bedrock:InvokeModel": "calls the model",
    "bedrock:ApplyGuardrail": "",  # goes with the right to call the model
    "events:PutEvents": "puts events onto the bus",
    "sts:AssumeRole": "a session for one recording",
    "transcribe:StartTranscriptionJob": "starts jobs of Transcribe",
    "transcribe:GetTranscriptionJob": "reads jobs of Transcribe",
    "transcribe:DeleteTranscriptionJob": "deletes jobs",
}


def table_of_rights(template: Mapping[str, Any]) -> list[str]:
    """Return the rows of the table: one for each function, by name."""
    return [
        f"| `{name}` | {' | '.join(', '.join(sorted(cell)) or '–' for cell in cells)} |"
        for name, cells in sorted(_rights(template))
    ]


def _rights(template: Mapping[str, Any]) -> Iterator[tuple[str, list[set[str]]]]:
    policies = [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::IAM::Policy"]
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        role = {"Ref": resource["Properties"]["Role"]["Fn::GetAtt"][0]}
        cells = defaultdict[str, set[str]](set)
        for policy in policies:
            for statement in policy["PolicyDocument"]["Statement"] if role in policy.get("Roles", []) else ():
                for action in _listed(statement["Action"]):
                    for arn in map(_text, _listed(statement["Resource"])):
                        _put(cells, action, arn)
        columns = [cells[name] for name in ("table", "media", "replies", "secrets", "other")]
        yield resource["Properties"]["Handler"].split(".")[-2], columns


def _put(cells: dict[str, set[str]], action: str, arn: str) -> None:
    service, _, verb = action.partition(":")
    short = re.match("[A-Z][a-z]+", verb)
    if service in _OF_ALL:
        return
    if service == "dynamodb":
        cells["table"].add(short[0].lower() if short else verb)
    elif service == "s3":
        cells["media" if "Recordings" in arn else "replies"].add(short[0].lower() if short else verb)
    elif service == "secretsmanager":
        name = re.search(r"secret:recording-insights/\w+/([\w-]+?)(-\?{6})?$", arn)
        vendor = name[1] if name else ""
        shown = "of the providers" if vendor in PROVIDERS else f"`{vendor}`" if vendor else "key of the webhooks"
        cells["secrets"].add(shown)
    elif service == "sqs":
        cells["other"].add("queues")
    elif _OTHERS[action]:
        cells["other"].add(_OTHERS[action])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return "".join(map(_text, value["Fn::Join"][1]))
    return str(value.get("Ref") or value["Fn::GetAtt"][0])


def test_the_page_has_the_rights_of_every_function() -> None:
    rows = table_of_rights(template_with_every_provider())
    table = "\n".join((*HEAD, *rows))
    assert table in PAGE.read_text(), f"docs/security.md needs this table:\n{table}"
