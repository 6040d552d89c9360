"""Corrections of CloudFormation: it deletes only what its service would delete, and imports what was left.

ministack deletes a bucket with everything in it, and a user with policies that no template has given it. S3 and IAM
refuse both, and the stack then ends as DELETE_FAILED. ministack imports tables and buckets into a stack, but no global
tables. It does not say by which names a template's resources are imported, for which CDK asks.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from xml.sax.saxutils import escape

from sandbox.cloud.emulator.internals import require_parameters, require_source

_BUCKET, _USER = "AWS::S3::Bucket", "AWS::IAM::User"
_TABLE, _GLOBAL_TABLE = "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"
_NOT_FOUND = 404


def refuse_to_delete_what_is_used() -> None:
    """Fail the deletion of a bucket with any version of an object, and of a user with policies from elsewhere.

    Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html and
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html

    Raises:
        RuntimeError: the installed ministack deletes buckets or users in another way.
    """
    from ministack.services import iam, s3  # type: ignore[import-untyped]
    from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

    require_parameters(provisioners._s3_delete, "physical_id", "props")
    require_source(provisioners._s3_delete, "_s3._buckets.pop(physical_id, None)")
    require_parameters(s3._delete_bucket, "name")
    require_source(s3._delete_bucket, 'bucket["objects"] or _bucket_has_versions(name)', '"BucketNotEmpty"')
    require_parameters(provisioners._iam_user_delete, "physical_id", "props")
    require_source(provisioners._iam_user_delete, "_iam._user_inline_policies.pop(physical_id, None)", "_delete_user")
    delete_bucket = provisioners._RESOURCE_HANDLERS[_BUCKET]["delete"]
    delete_user = provisioners._RESOURCE_HANDLERS[_USER]["delete"]

    @wraps(delete_bucket)
    def delete_empty_bucket(name: str, properties: Mapping[str, Any]) -> None:
        status, _, _ = s3._delete_bucket(name)
        if status not in (204, _NOT_FOUND):
            raise ValueError(
                f"The bucket you tried to delete is not empty (Service: S3, Status Code: {status}): {name}"
            )

    @wraps(delete_user)
    def delete_user_without_policies(name: str, properties: Mapping[str, Any]) -> None:
        own = {policy.get("PolicyName") for policy in properties.get("Policies") or []}
        if set(iam._user_inline_policies.get(name) or {}) - own:
            raise ValueError("Cannot delete entity, must delete policies first. (Service: Iam, Status Code: 409)")
        delete_user(name, properties)

    provisioners._RESOURCE_HANDLERS[_BUCKET]["delete"] = delete_empty_bucket
    provisioners._RESOURCE_HANDLERS[_USER]["delete"] = delete_user_without_policies


def import_what_was_left() -> None:
    """Import global tables into stacks, and name the properties by which a template's resources are imported.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-supported-resources.html

    Raises:
        RuntimeError: the installed ministack imports resources in another way.
    """
    from ministack.services.cloudformation import changesets, handlers, provisioners

    require_source(changesets._import_not_found, "keys, problem = _IMPORT_LOOKUPS[rtype]")
    require_source(provisioners._import_resource, '_RESOURCE_HANDLERS[resource_type]["import"](identifier)')
    require_source(handlers._get_template_summary, "</GetTemplateSummaryResult>", 'template.get("Resources", {})')
    changesets._IMPORT_LOOKUPS[_GLOBAL_TABLE] = changesets._IMPORT_LOOKUPS[_TABLE]
    provisioners._RESOURCE_HANDLERS[_GLOBAL_TABLE]["import"] = provisioners._RESOURCE_HANDLERS[_TABLE]["import"]
    names = {kind: keys for kind, (keys, _) in changesets._IMPORT_LOOKUPS.items()}
    handlers._ACTION_HANDLERS["GetTemplateSummary"] = _naming_identifiers(handlers._get_template_summary, names)


def _naming_identifiers(
    summarize: Callable[..., Any], names: Mapping[str, tuple[str, ...]]
) -> Callable[[Mapping[str, Any]], Any]:
    from ministack.services.cloudformation.engine import _parse_template  # type: ignore[import-untyped]
    from ministack.services.cloudformation.helpers import _resolve_template  # type: ignore[import-untyped]

    @wraps(summarize)
    def summarize_naming_identifiers(params: Mapping[str, Any]) -> Any:
        status, headers, body = summarize(params)
        text, _ = _resolve_template(params)
        if status != 200 or not text:
            return status, headers, body
        found: dict[str, list[str]] = {}
        for logical_id, resource in _parse_template(text).get("Resources", {}).items():
            if resource.get("Type") in names:
                found.setdefault(resource["Type"], []).append(logical_id)
        end = "</GetTemplateSummaryResult>"
        return status, headers, _text(body).replace(end, f"{_summaries(found, names)}{end}").encode()

    return summarize_naming_identifiers


def _summaries(found: Mapping[str, list[str]], names: Mapping[str, tuple[str, ...]]) -> str:
    members = "".join(
        f"<member><ResourceType>{kind}</ResourceType>"
        f"<LogicalResourceIds>{_members(ids)}</LogicalResourceIds>"
        f"<ResourceIdentifiers>{_members(list(names[kind]))}</ResourceIdentifiers></member>"
        for kind, ids in found.items()
    )
    return f"<ResourceIdentifierSummaries>{members}</ResourceIdentifierSummaries>"


def _members(values: list[str]) -> str:
    return "".join(f"<member>{escape(value)}</member>" for value in values)


def _text(body: bytes | str) -> str:
    return body.decode() if isinstance(body, bytes) else body
