"""The credentials that the stand-ins know: made up, good nowhere else."""

AGORA_APP_ID = "a90ca5d0b1e34c7fa90ca5d0b1e34c7f"
AGORA_APP_CERTIFICATE = "ce271f1ca7e0ce271f1ca7e0ce271f1c"
AGORA_CUSTOMER_ID = "5ce1ebd0000000000000000000c0ffee"
AGORA_CUSTOMER_SECRET = "00000000000000000000agora5ecret0"  # noqa: S105


def credentials() -> dict[str, dict[str, str]]:
    """Per vendor what its secret holds."""
    from sandbox.stand_ins.vendors import vendors

    return {
        "agora": {
            "appId": AGORA_APP_ID,
            "customerId": AGORA_CUSTOMER_ID,
            "customerSecret": AGORA_CUSTOMER_SECRET,
            "notificationSecret": "notification-secret",
        },
        **{name: dict(vendor.credentials) for name, vendor in vendors().items() if vendor.credentials},
    }
