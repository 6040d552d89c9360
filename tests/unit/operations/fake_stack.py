"""A stack and its buckets in memory: CloudFormation deletes them while somebody waits. It can break off at any call."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.operations.fake_account import USER, Account, aws_error

NAME = "RecordingInsights-dev"
STACK_ID = f"arn:aws:cloudformation:eu-central-1:111122223333:stack/{NAME}/51df0918-0000"
RECORDINGS, REPLIES, TABLE = "dev-recordings", "dev-replies", "dev-table"
PAGE = 2
KINDS = {
    "Recordings": ("AWS::S3::Bucket", RECORDINGS),
    "Replies": ("AWS::S3::Bucket", REPLIES),
    "Table": ("AWS::DynamoDB::GlobalTable", TABLE),
    "Uploader": ("AWS::IAM::User", USER),
    "Function": ("AWS::Lambda::Function", "dev-function"),
}
DATA = ("Recordings", "Replies", "Table")


@dataclass
class Bucket:
    """`versions` are (key, version id), `markers` too; `policy` is the text of the bucket's policy."""

    versions: list[tuple[str, str]] = field(default_factory=list)
    markers: list[tuple[str, str]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    policy: str | None = None
    refuses: str = ""

    @property
    def is_full(self) -> bool:
        return bool(self.versions or self.markers)

    def write(self, key: str) -> None:
        """Write an object as a recorder does, unless the policy denies it."""
        statements = json.loads(self.policy)["Statement"] if self.policy else []
        if not any(each["Effect"] == "Deny" and each["Action"] == "s3:PutObject" for each in statements):
            self.versions.append((key, f"v{len(self.versions)}-{key}"))


@dataclass
class StackAccount:
    """`fails` are reasons by logical id; `late` are writes after the end of a bucket's policy, one for each deletion.

    `before` is called at the begin of each call, and at each wait; it may raise.
    """

    keeps: bool = False
    protected: bool = False
    status: str = "UPDATE_COMPLETE"
    rows: int = 12
    outputs: dict[str, str] = field(default_factory=lambda: {"InsightsTableName": TABLE, "AgoraUploaderName": USER})
    buckets: dict[str, Bucket] = field(default_factory=lambda: {RECORDINGS: Bucket(), REPLIES: Bucket()})
    left: list[str] = field(default_factory=lambda: [*KINDS])
    fails: dict[str, str] = field(default_factory=dict)
    late: int = 0
    writer: Callable[[], None] = lambda: None
    before: Callable[[str], None] = lambda call: None
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    of_user: Account = field(init=False)

    def __post_init__(self) -> None:
        self.of_user = Account(outputs=self.outputs)
        self.of_user.add_key()
        self.of_user.secret = "{}"

    def __call__(self, service: str, **credentials: str) -> Any:
        return {"cloudformation": _CloudFormation, "s3": _S3, "dynamodb": _DynamoDB}.get(service, self._user)(self)

    def _user(self, account: "StackAccount") -> Any:
        self.of_user.before = self.enter
        self.of_user.stacks = () if self.is_gone else (NAME,)
        return self.of_user("iam")

    @property
    def is_gone(self) -> bool:
        return self.status == "DELETE_COMPLETE"

    def enter(self, call: str) -> None:
        self.before(call)
        self.calls.append(call)

    def pass_time(self, seconds: float) -> None:
        """CloudFormation goes on while somebody waits."""
        self.before("sleep")
        self.go_on()

    def go_on(self) -> None:
        if self.status != "DELETE_IN_PROGRESS":
            return
        failed = [name for name in reversed([*self.left]) if not self._delete(name)]
        self.status = "DELETE_FAILED" if failed else "DELETE_COMPLETE"
        self.say(NAME, self.status, f"The following resource(s) failed to delete: {failed}." if failed else "")

    def say(self, name: str, status: str, reason: str = "") -> None:
        kind, physical = KINDS.get(name, ("AWS::CloudFormation::Stack", STACK_ID))
        self.events.append(
            {
                "EventId": str(len(self.events)),
                "LogicalResourceId": name,
                "ResourceType": kind,
                "PhysicalResourceId": physical,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
        )

    def _delete(self, name: str) -> bool:
        _, physical = KINDS[name]
        if self.keeps and name in DATA:
            self.say(name, "DELETE_SKIPPED")
            self.left.remove(name)
            return True
        bucket = self.buckets.get(physical)
        if bucket:
            bucket.policy = None
            if self.late:
                self.late -= 1
                bucket.write("late")
        reason = self.fails.get(name, "")
        if bucket and bucket.is_full:
            reason = "The bucket you tried to delete is not empty"
        if name == "Uploader" and self.of_user.keys:
            reason = "Cannot delete entity, must delete access keys first."
        self.say(name, "DELETE_FAILED" if reason else "DELETE_COMPLETE", reason)
        if reason:
            return False
        self.left.remove(name)
        self.buckets.pop(physical, None)
        return True


@dataclass
class _CloudFormation:
    account: StackAccount

    @property
    def meta(self) -> Any:
        return self.account.of_user("cloudformation").meta

    def describe_stacks(self, *, StackName: str) -> Any:
        self.account.enter("describe_stacks")
        if StackName == NAME and self.account.is_gone:
            raise aws_error("ValidationError", "DescribeStacks", 400, f"Stack with id {StackName} does not exist")
        stack = {
            "StackId": STACK_ID,
            "StackStatus": self.account.status,
            "EnableTerminationProtection": self.account.protected,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in self.account.outputs.items()],
        }
        return {"Stacks": [stack]}

    def get_template(self, *, StackName: str, TemplateStage: str) -> Any:
        assert (StackName, TemplateStage) == (STACK_ID, "Processed")
        self.account.enter("get_template")
        policies = dict.fromkeys(DATA, "Retain" if self.account.keeps else "Delete")
        resources = {
            name: {"Type": kind, **({"DeletionPolicy": policies[name]} if name in policies else {})}
            for name, (kind, _) in KINDS.items()
        }
        return {"TemplateBody": {"Resources": resources}}

    def delete_stack(self, *, StackName: str) -> None:
        assert StackName == STACK_ID
        self.account.enter("delete_stack")
        if self.account.status == "REVIEW_IN_PROGRESS":
            self.account.status = "DELETE_COMPLETE"
            return
        self.account.status = "DELETE_IN_PROGRESS"
        self.account.say(NAME, "DELETE_IN_PROGRESS")

    def get_paginator(self, call: str) -> "_Pages":
        return _Pages({"list_stack_resources": self._resources, "describe_stack_events": self._events}[call])

    def _resources(self, *, StackName: str) -> Iterator[Any]:
        self.account.enter("list_stack_resources")
        for name, (kind, physical) in KINDS.items():
            status = "CREATE_COMPLETE" if name in self.account.left else "DELETE_COMPLETE"
            found = {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical}
            yield {"StackResourceSummaries": [{**found, "ResourceStatus": status}]}

    def _events(self, *, StackName: str) -> Iterator[Any]:
        assert StackName == STACK_ID, "a deleted stack has its events under its id only"
        self.account.enter("describe_stack_events")
        for event in reversed(self.account.events):
            yield {"StackEvents": [event]}


@dataclass
class _S3:
    account: StackAccount

    def _bucket(self, call: str, name: str) -> Bucket:
        self.account.enter(call)
        if name not in self.account.buckets:
            raise aws_error("NoSuchBucket", call, 404)
        return self.account.buckets[name]

    def get_paginator(self, call: str) -> "_Pages":
        return _Pages({"list_object_versions": self._versions, "list_multipart_uploads": self._uploads}[call])

    def _versions(self, *, Bucket: str, Prefix: str = "") -> Iterator[Any]:
        bucket = self._bucket("list_object_versions", Bucket)
        found = [("Versions", each) for each in bucket.versions] + [("DeleteMarkers", each) for each in bucket.markers]
        for first in range(0, len(found), PAGE):
            page: dict[str, Any] = {}
            for kind, (key, version) in found[first : first + PAGE]:
                page.setdefault(kind, []).append({"Key": key, "VersionId": version})
            yield page

    def _uploads(self, *, Bucket: str) -> Iterator[Any]:
        uploads = self._bucket("list_multipart_uploads", Bucket).uploads
        yield {"Uploads": [{"Key": "key", "UploadId": upload} for upload in uploads]} if uploads else {}

    def delete_objects(self, *, Bucket: str, Delete: Mapping[str, Any]) -> Any:
        bucket = self._bucket("delete_objects", Bucket)
        if bucket.refuses:
            return {"Errors": [{"Key": each["Key"], "Code": bucket.refuses} for each in Delete["Objects"]]}
        gone = {(each["Key"], each["VersionId"]) for each in Delete["Objects"]}
        bucket.versions = [each for each in bucket.versions if each not in gone]
        bucket.markers = [each for each in bucket.markers if each not in gone]
        self.account.writer()
        return {}

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> None:
        uploads = self._bucket("abort_multipart_upload", Bucket).uploads
        if UploadId not in uploads:
            raise aws_error("NoSuchUpload", "AbortMultipartUpload", 404)
        uploads.remove(UploadId)

    def get_bucket_policy(self, *, Bucket: str) -> Any:
        policy = self._bucket("get_bucket_policy", Bucket).policy
        if policy is None:
            raise aws_error("NoSuchBucketPolicy", "GetBucketPolicy", 404)
        return {"Policy": policy}

    def put_bucket_policy(self, *, Bucket: str, Policy: str) -> None:
        self._bucket("put_bucket_policy", Bucket).policy = Policy


@dataclass
class _DynamoDB:
    account: StackAccount

    def describe_table(self, *, TableName: str) -> Any:
        assert TableName == TABLE
        self.account.enter("describe_table")
        return {"Table": {"ItemCount": self.account.rows}}


@dataclass
class _Pages:
    paginate: Callable[..., Iterator[Any]]
