"""STS in memory, as `aws.sts` gives it: knows the uploader's keys, makes federation tokens, plays scripted faults."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from recording_insights.agora.storage import RecordingsBucket
from recording_insights.agora.upload_credentials import Uploader

UPLOADER_KEY = {"accessKeyId": "AKIDUPLOADER", "secretAccessKey": "s3cr3t-uploader"}
_REQUEST = {"Name", "Policy", "DurationSeconds"}


def refusal(code: str, status: int, message: str = "s3cr3t-in-the-message") -> ClientError:
    """An error of AWS's."""
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetFederationToken")


@dataclass
class FakeSts:
    """`keys` are those that work; `script` are errors to raise, before anything else; `requests` the requests."""

    now: Callable[[], datetime]
    keys: dict[str, str] = field(default_factory=lambda: {UPLOADER_KEY["accessKeyId"]: UPLOADER_KEY["secretAccessKey"]})
    script: list[Exception] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, access_key_id: str, secret_access_key: str) -> Any:
        return _Client(self, access_key_id, secret_access_key)


def uploader_of(sts: FakeSts) -> Uploader:
    """The product's maker of upload credentials, with a fake STS."""
    return Uploader(lambda fresh: UPLOADER_KEY, RecordingsBucket("recordings-bucket", "us-east-1"), sts)


@dataclass
class _Client:
    sts: FakeSts
    access_key_id: str
    secret_access_key: str

    def get_federation_token(self, **request: Any) -> dict[str, Any]:
        assert request.keys() == _REQUEST
        assert 2 <= len(request["Name"]) <= 32
        assert 900 <= request["DurationSeconds"] <= 36 * 3600
        assert len(request["Policy"]) <= 2048
        json.loads(request["Policy"])
        number = len(self.sts.requests)
        self.sts.requests.append(request)
        if self.sts.script:
            raise self.sts.script.pop(0)
        if self.sts.keys.get(self.access_key_id) != self.secret_access_key:
            raise refusal("InvalidClientTokenId", 403)
        return {
            "Credentials": {
                "AccessKeyId": f"ASIAEXAMPLE{number}",
                "SecretAccessKey": f"s3cr3t-upload-{number}",
                "SessionToken": f"s3cr3t-session-{number}",
                "Expiration": self.sts.now() + timedelta(seconds=request["DurationSeconds"]),
            }
        }
