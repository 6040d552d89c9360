"""The key of an encrypted channel, which the recorder needs as every client does.

Source: `decryptionMode`, `secret` and `salt` in https://docs.agora.io/en/cloud-recording/reference/restful-api
"""

import base64
import binascii
from typing import Any

from recording_insights.agora.fields.translation import Field, Fields, agora_object, named_value
from recording_insights.errors import InvalidRequest
from recording_insights.validation import Reader, checked, text

_LONGEST_SECRET = 256
_SALT_BYTES = 32
_SALT_CHARACTERS = 44
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
_SALTED_MODES = (7, 8)


def _is_salt(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(base64.b64decode(value, validate=True)) == _SALT_BYTES
    except (binascii.Error, ValueError):
        return False


DECRYPTION: Fields = {
    "mode": Field("decryptionMode", named_value(**DECRYPTION_MODES), required=True),
    "secret": Field("secret", text(_LONGEST_SECRET), required=True),
    "salt": Field(
        "salt",
        checked(
            _is_salt,
            f"must be {_SALT_BYTES} bytes in base64",
            {
                "type": "string",
                "contentEncoding": "base64",
                "minLength": _SALT_CHARACTERS,
                "maxLength": _SALT_CHARACTERS,
            },
        ),
    ),
}
_fields = agora_object(DECRYPTION)


def _read_decryption(path: str, value: Any) -> dict[str, Any]:
    fields = _fields(path, value)
    if (fields["decryptionMode"] in _SALTED_MODES) != ("salt" in fields):
        raise InvalidRequest(f"{path}.salt", "is for aes_128_gcm2 and aes_256_gcm2, which need it")
    return fields


decryption = Reader(_read_decryption, _fields.schema)
"""Mode and key of an encrypted channel; returns Agora's fields. Only some modes have a salt, and they require it."""
