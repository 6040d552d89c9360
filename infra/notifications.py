"""The route for Agora's notifications. They are optional: an operator sets them up in Agora's console."""

import aws_cdk as cdk
from constructs import Construct

from infra.access import Foundation
from infra.api import RecordingsApi
from infra.python_function import PythonFunction
from recording_insights.agora.notifications import SECRET
from recording_insights.settings import ReceiveNotificationSettings

PATH = "/webhooks/agora"
"""API Gateway prefers a fixed path to one with `{provider}`. No provider has the name "agora".

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""


class AgoraNotifications(Construct):
    """A route without an authorizer: Agora signs its notifications."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation, api: RecordingsApi) -> None:
        super().__init__(scope, construct_id)
        function = PythonFunction(
            self,
            "ReceiveNotification",
            settings=foundation.settings,
            module="routes.receive_notification",
            description="Verifies a notification of Agora's and writes it to the row",
            reads=foundation.settings_for(ReceiveNotificationSettings),
            statements=[
                foundation.on_table("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
                foundation.read_secret(SECRET),
            ],
            # Agora waits for 10 s.
            timeout=cdk.Duration.seconds(10),
        )
        api.add_webhook(PATH, function)
