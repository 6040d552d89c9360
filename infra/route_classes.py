"""Classes of routes: who may call a route, and how often. docs/deploy.md has a policy of IAM for each class.

A route is in one class. Its class decides which scope a JWT needs, and the throttle of the route.
"""

from collections.abc import Mapping
from typing import Literal, get_args

RouteClass = Literal["read", "write", "operate", "erase"]
CLASSES: tuple[RouteClass, ...] = get_args(RouteClass)
_BY_METHOD: Mapping[str, RouteClass] = {"GET": "read", "DELETE": "erase"}
_OPERATES = frozenset(
    (
        "POST /recordings/{recording_id}/retry",
        "POST /recordings/{recording_id}/cancel",
        "POST /media",
        "POST /retries",
        "POST /retries/{retry_id}/cancel",
        "PUT /providers/{provider}",
        "POST /subscriptions",
        "PATCH /subscriptions/{subscription_id}",
        "DELETE /subscriptions/{subscription_id}",
        "POST /subscriptions/{subscription_id}/rotate",
        "POST /subscriptions/{subscription_id}/test",
        "POST /subscriptions/{subscription_id}/deliveries/{delivery_id}/resend",
    )
)
"""What may pay for a job again, holds back what others wait for, or sends events to addresses."""
SCOPES: Mapping[str, str] = {name: f"recordings:{name}" for name in CLASSES}
"""The scopes by class, where the setting `jwtScopes` names no others."""
RATES: Mapping[str, int] = {"read": 50, "write": 50, "operate": 10, "erase": 10}
"""Requests a second for each route of a class, where the setting `throttles` has no other number."""


def class_of(route: str) -> RouteClass:
    """Return the class of a route, such as `GET /recordings`."""
    if route in _OPERATES:
        return "operate"
    return _BY_METHOD.get(route.partition(" ")[0], "write")
