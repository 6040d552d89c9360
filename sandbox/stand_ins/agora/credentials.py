"""Agora's credentials: this stand-in accepts them, and no real service does."""

AGORA_APP_ID = "a90ca5d0b1e34c7fa90ca5d0b1e34c7f"
AGORA_APP_CERTIFICATE = "ce271f1ca7e0ce271f1ca7e0ce271f1c"
AGORA_CUSTOMER_ID = "5ce1ebd0000000000000000000c0ffee"
AGORA_CUSTOMER_SECRET = "00000000000000000000agora5ecret0"  # noqa: S105
AGORA_NOTIFICATION_SECRET = "notification-secret"  # noqa: S105
