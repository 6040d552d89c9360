"""The key of an encrypted channel, which a recorder needs like any client.

Source: `decryptionMode`, `secret` and `salt` in https://docs.agora.io/en/cloud-recording/reference/restful-api
"""

import base64
import binascii
from typing import Any

from recording_insights.errors import InvalidRequest
from recording_insights.validation import Field, Fields, one_of, read_fields

_LONGEST_SECRET = 256
_SALT_BYTES = 32
DECRYPTION_MODES = {
    "aes_128_xts": 1,
    "aes_128_ecb": 2,
    "aes_256_xts": 3,
    "sm4_128_ecb": 4,
    "aes_128_gcm": 5,
    "aes_256_gcm": 6,
    "aes_128_gcm2": 7,
    "aes_256_gcm2": 8,
}
_SALTED = (7, 8)


def _secret(path: str, value: Any) -> Any:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_SECRET:
        raise InvalidRequest(path, f"must be a text of 1 to {_LONGEST_SECRET} characters")
    return value


def _salt(path: str, value: Any) -> Any:
    try:
        salt = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        salt = b""
    if len(salt) != _SALT_BYTES:
        raise InvalidRequest(path, f"must be {_SALT_BYTES} bytes in base64")
    return value


DECRYPTION: Fields = {
    "mode": Field("decryptionMode", one_of(**DECRYPTION_MODES), required=True),
    "secret": Field("secret", _secret, required=True),
    "salt": Field("salt", _salt),
}


def decryption(path: str, value: Any) -> dict[str, Any]:
    """Agora's fields of it; a salt where the mode has one, and only there."""
    told = read_fields(DECRYPTION, value, f"{path}.")
    if (told["decryptionMode"] in _SALTED) != ("salt" in told):
        raise InvalidRequest(f"{path}.salt", "is for aes_128_gcm2 and aes_256_gcm2, which need it")
    return told
