"""Signatures of webhooks as Standard Webhooks has them.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes

PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """Return a secret of 256 random bits, as receivers configure it."""
    return PREFIX + b64encode(token_bytes(_SECRET_BYTES)).decode()


def signed_headers(event_id: str, body: bytes, *, secrets: Sequence[str], sent_at: datetime) -> dict[str, str]:
    """Return the three headers of a webhook: its id, when it is sent, and a signature with each secret."""
    timestamp = int(sent_at.timestamp())
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}"
