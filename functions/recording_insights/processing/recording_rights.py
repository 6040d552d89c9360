"""The rights that the preparation of one recording's media needs, as a session policy of IAM.

The function reads bytes that somebody uploaded with a native library. So its calls of AWS are limited to the recording
whose media it prepares.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from recording_insights.model.media_object import PREPARED

TABLE_ACTIONS = ("GetItem", "PutItem", "Query", "UpdateItem")
"""What the preparation does with rows. A Scan names no partition, so a limit to partitions would let it pass."""
KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
_PLAYLIST = ".m3u8"
_ESCAPES = {"*": "${*}", "?": "${?}", "$": "${$}"}
"""Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
_LONGEST_PATTERN = 300
"""In characters of JSON. Each of two patterns is in the policy twice, and a key has 1,024 bytes at most."""


def session_name(recording_id: str) -> str:
    """Return the name that the session has in CloudTrail: AWS takes 64 letters, digits and a few other characters."""
    return re.sub(r"[^\w+=,.@-]", "-", f"prepare-{recording_id}", flags=re.ASCII)[:64]


def session_policy(
    recording_id: str, key: str, *, bucket: str, partition: str = "aws", kms_key_arn: str | None = None
) -> str:
    """Return the policy as JSON. `key` is that of the media object: of a file, or of the playlist of a track.

    It allows to read and list the one file, or the folder of the track, to write prepared files of the recording, and
    to use its rows. All of it is narrowed further by the rights of the role.
    """
    bucket_arn = f"arn:{partition}:s3:::{bucket}"
    own = _own_objects(key)
    prepared = f"{bucket_arn}/{PREPARED}{_pattern(recording_id)}/*"
    statements: list[dict[str, Any]] = [
        {"Action": "s3:GetObject", "Resource": [*(f"{bucket_arn}/{pattern}" for pattern in own), prepared]},
        {"Action": "s3:ListBucket", "Resource": bucket_arn, "Condition": {"StringLike": {"s3:prefix": own}}},
        {"Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": prepared},
        {
            "Action": [f"dynamodb:{action}" for action in TABLE_ACTIONS],
            "Resource": "*",
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": _pattern(recording_id)}},
        },
    ]
    if kms_key_arn:
        statements.append({"Action": KEY_ACTIONS, "Resource": kms_key_arn})
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed}, separators=(",", ":"))


def _own_objects(key: str) -> Sequence[str]:
    """Return patterns of the keys that belong to a media object."""
    if not key.endswith(_PLAYLIST):
        return [_pattern(key)]
    folder, slash, _ = key.rpartition("/")
    if slash:
        return [f"{_pattern(folder + slash)}*"]
    # At the top of the bucket, the files of a track are those with its name, and those of recorders that took over.
    return [f"{_pattern(key.removesuffix(_PLAYLIST))}*", "bak*"]


def _pattern(text: str) -> str:
    """Return a pattern of IAM for exactly this text, or a wider one if no policy can hold that.

    A policy takes no character beyond U+00FF, and what IAM makes of the others beyond ASCII is not documented: a `*`
    stands for them. A `*` also stands for the end of a long text.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    pattern, room = "", _LONGEST_PATTERN
    for character in text:
        unit = _ESCAPES.get(character, character if " " <= character <= "~" else "*")
        room -= len(json.dumps(unit)) - 2
        if room < 1:
            return f"{pattern.removesuffix('*')}*"
        if unit != "*" or not pattern.endswith("*"):
            pattern += unit
    return pattern
