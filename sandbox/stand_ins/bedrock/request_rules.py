"""What Converse refuses in a request.

First come the rules of the published model, which is boto3's. The other rules are those of the user guide and of the
models. Their messages are the service's own, as its users quote them. Where a comment says "ours", no source shows one.
Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
"""

import functools
import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import botocore.session

from sandbox.shapes import WrongType, unknown_members, violations, without_nulls
from sandbox.stand_ins.bedrock.errors import ConverseError, invalid, refused_by_model
from sandbox.stand_ins.bedrock.models import Model
from sandbox.stand_ins.bedrock.schema_rules import UnsupportedSchema, check_output_schema, check_tool_schema
from sandbox.stand_ins.bedrock.tokens import input_tokens

_READ = frozenset({"text", "toolUse", "toolResult"})
_TOOL_BLOCKS = frozenset({"toolUse", "toolResult"})


def read_request(model_id: str, body: bytes) -> dict[str, Any]:
    """Return the members of a request whose form is right. Those that are null are left out.

    Raises:
        ConverseError: it is no JSON object, or breaks a rule of the published model.
    """
    try:
        request = json.loads(body)
        if rb"\ud" in body.lower():  # half of a pair is no character, and cannot be written again
            json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        raise ConverseError("SerializationException", "The body is no JSON object.")
    shape = _request_shape()
    try:
        violation = next(violations(shape, {**request, "modelId": model_id}), None)
    except WrongType as wrong:
        raise ConverseError("SerializationException", str(wrong)) from None
    if violation:
        raise invalid(f"1 validation error detected: {violation}")
    # AWS documents no message for them; InvokeModel has this one.
    if path := next(unknown_members(shape, request), None):
        raise invalid(
            f"Malformed input request: #: extraneous key [{path}] is not permitted, please reformat your input and try "
            "again."
        )
    known: dict[str, Any] = without_nulls(shape, request)
    return known


def check_request(request: Mapping[str, Any], model: Model, guardrails: Collection[str]) -> None:
    """Check a request of the right form. `guardrails` are the known ones, each as id:version.

    Raises:
        ConverseError: Converse, or the model behind it, refuses the request.
    """
    messages = request.get("messages") or []
    _check_roles(messages)
    for i, message in enumerate(messages):
        _check_content(message["content"], f"messages.{i}")
    _check_inference(request.get("inferenceConfig") or {}, model)
    _check_tools(request, model)
    _check_output(request.get("outputConfig"), model)
    _check_guardrail(request.get("guardrailConfig"), guardrails)
    _check_rest(request)
    _check_length(request, model)


@functools.cache
def _request_shape() -> Any:
    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    return model.operation_model("Converse").input_shape


def _check_roles(messages: Sequence[Mapping[str, Any]]) -> None:
    roles = [message["role"] for message in messages]
    if "system" in roles:
        raise invalid("This model doesn't support the system role in messages. Use the system field instead.")  # ours
    if not roles or roles[0] != "user":
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    if any(role == following for role, following in itertools.pairwise(roles)):
        raise invalid(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
            "between user and assistant roles and try again."
        )
    if roles[-1] != "user":  # older models go on with the assistant's text; newer ones and structured output refuse
        raise refused_by_model(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _check_content(content: Sequence[Mapping[str, Any]], path: str) -> None:
    if not content:
        raise invalid(
            f"The content field in the Message object at {path} is empty. Add a ContentBlock object to the content "
            "field and try again."
        )
    for i, block in enumerate(content):
        kind = next(iter(block))
        if kind not in _READ:  # ours: nothing of the sandbox sends other kinds
            raise invalid(f"The Bedrock of this sandbox reads {', '.join(sorted(_READ))}, not {kind}.")
        if kind == "text" and not block["text"].strip():
            raise invalid(
                f"The text field in the ContentBlock object at {path}.content.{i} is blank. Add text to the text "
                "field, and try again."
            )


def _check_inference(inference: Mapping[str, Any], model: Model) -> None:
    if inference.get("maxTokens", 1) > model.output_tokens:
        raise invalid(
            f"The maximum tokens you requested exceeds the model limit of {model.output_tokens}. Try again with a "
            f"maximum tokens value that is lower than {model.output_tokens}."
        )
    if model.is_claude and model.text_format and {"temperature", "topP"} <= inference.keys():  # 4.5 and later
        raise refused_by_model(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        )
    if model.is_claude and any(not sequence.strip() for sequence in inference.get("stopSequences", [])):
        raise refused_by_model("stop_sequences: each stop sequence must contain non-whitespace")


def _check_tools(request: Mapping[str, Any], model: Model) -> None:
    config = request.get("toolConfig")
    blocks = [block for message in request["messages"] for block in message["content"]]
    if config is None:
        if any(_TOOL_BLOCKS & block.keys() for block in blocks):
            raise invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        return
    _check_results(request["messages"])
    names = []
    for i, tool in enumerate(config["tools"]):
        if "toolSpec" not in tool:
            raise invalid(f"The Bedrock of this sandbox has no {next(iter(tool))} in tools.")  # ours
        _check_tool(tool["toolSpec"], i, model)
        names.append(tool["toolSpec"]["name"])
    if len(set(names)) < len(names):
        raise refused_by_model("tools: Tool names must be unique.")
    _check_choice(config.get("toolChoice") or {}, names, model)


def _check_results(messages: Sequence[Mapping[str, Any]]) -> None:
    asked: set[str] = set()
    for i, message in enumerate(messages):
        content = message["content"]
        answered = {block["toolResult"]["toolUseId"] for block in content if "toolResult" in block}
        if answered - asked:
            raise invalid(
                f"The number of toolResult blocks at messages.{i}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        if asked - answered:
            raise invalid(
                f"Expected toolResult blocks at messages.{i}.content for the following Ids: "
                f"{', '.join(sorted(asked - answered))}"
            )
        asked = {block["toolUse"]["toolUseId"] for block in content if "toolUse" in block}


def _check_tool(spec: Mapping[str, Any], i: int, model: Model) -> None:
    path = f"toolConfig.tools.{i}.toolSpec"
    schema = spec["inputSchema"].get("json")
    if not isinstance(schema, dict):
        raise invalid(
            f"The format of the value at {path}.inputSchema.json is invalid. Provide a json object for the field and "
            "try again."
        )
    if schema.get("type") != "object":
        raise invalid(f"The value at {path}.inputSchema.json.type must be one of the following: object.")
    if spec.get("strict") and not model.text_format:
        raise invalid(f"This model doesn't support the {path}.strict field. Remove it and try again.")  # ours
    try:
        (check_output_schema if spec.get("strict") else check_tool_schema)(schema)
    except UnsupportedSchema as unsupported:
        raise refused_by_model(f"tools.{i}.custom.input_schema: {unsupported}") from None


def _check_choice(choice: Mapping[str, Any], names: Sequence[str], model: Model) -> None:
    kind = next(iter(choice), "auto")
    if kind != "auto" and kind not in model.tool_choices:
        raise invalid(
            f"This model doesn't support the toolConfig.toolChoice.{kind} field. Remove toolConfig.toolChoice.{kind} "
            "and try again."
        )
    if kind == "tool" and choice["tool"]["name"] not in names:
        raise refused_by_model(f"Tool '{choice['tool']['name']}' not found in provided tools")


def _check_output(output: Mapping[str, Any] | None, model: Model) -> None:
    if not output:
        return
    if not model.text_format:
        raise invalid("This model doesn't support the outputConfig field. Remove outputConfig and try again.")
    if "effort" in output:
        raise refused_by_model("output_config.effort: Extra inputs are not permitted")
    if "textFormat" in output:
        text = output["textFormat"]["structure"]["jsonSchema"]["schema"]
        try:
            check_output_schema(json.loads(text))
        except ValueError:
            raise invalid(
                "The value at outputConfig.textFormat.structure.jsonSchema.schema is no JSON document."  # ours
            ) from None
        except UnsupportedSchema as unsupported:
            raise refused_by_model(f"output_config.format.schema: {unsupported}") from None


def _check_guardrail(config: Mapping[str, Any] | None, guardrails: Collection[str]) -> None:
    if config is None:
        return
    identifier = str(config.get("guardrailIdentifier", "")).rpartition("/")[2]
    if f"{identifier}:{config.get('guardrailVersion', '')}" not in guardrails:
        raise invalid("The guardrail identifier or version provided in the request does not exist.")


def _check_rest(request: Mapping[str, Any]) -> None:
    if fields := request.get("additionalModelRequestFields"):
        raise refused_by_model(f"{next(iter(fields))}: Extra inputs are not permitted")
    # All ours: the models of this sandbox have none of them.
    if request.get("promptVariables"):
        raise invalid("promptVariables needs the ARN of a prompt as the model identifier.")
    if (request.get("performanceConfig") or {}).get("latency", "standard") != "standard":
        raise invalid("Latency performance configuration is not supported for this model.")
    if (request.get("serviceTier") or {}).get("type", "default") != "default":
        raise invalid("The service tier is not supported for this model.")


def _check_length(request: Mapping[str, Any], model: Model) -> None:
    tokens = input_tokens(request)
    most = (request.get("inferenceConfig") or {}).get("maxTokens", 0)
    if tokens > model.context_tokens:
        if model.is_claude:
            raise refused_by_model(f"prompt is too long: {tokens} tokens > {model.context_tokens} maximum")
        raise refused_by_model("Input is too long for requested model.")
    if model.is_claude and tokens + most > model.context_tokens:
        raise refused_by_model(
            f"input length and `max_tokens` exceed context limit: {tokens} + {most} > {model.context_tokens}, decrease "
            "input length or `max_tokens` and try again"
        )
