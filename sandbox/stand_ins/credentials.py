"""The credentials that the stand-ins accept, as the local stack stores them in Secrets Manager."""

from sandbox.stand_ins.agora.credentials import (
    AGORA_APP_ID,
    AGORA_CUSTOMER_ID,
    AGORA_CUSTOMER_SECRET,
    AGORA_NOTIFICATION_SECRET,
)
from sandbox.stand_ins.vendors.registry import vendors


def credentials() -> dict[str, dict[str, str]]:
    """The content of each secret, by the last part of its name; a service of AWS has none."""
    return {
        "agora": {
            "appId": AGORA_APP_ID,
            "customerId": AGORA_CUSTOMER_ID,
            "customerSecret": AGORA_CUSTOMER_SECRET,
        },
        "agora-notifications": {"notificationSecret": AGORA_NOTIFICATION_SECRET},
        **{name: dict(vendor.credentials) for name, vendor in vendors().items() if vendor.credentials},
        **{
            f"{name}-webhook": dict(vendor.webhook_secret)
            for name, vendor in vendors().items()
            if vendor.webhook_secret
        },
    }
