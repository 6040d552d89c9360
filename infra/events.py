"""The bus of the stage's own events: what happens to recordings goes there, for rules of whoever wants to know."""

from aws_cdk import aws_events as events
from constructs import Construct

from infra.access import Foundation
from infra.customer_key import customer_key


class Events(Construct):
    """`bus` has the events of the stage, encrypted with the customer's key if there is one."""

    def __init__(self, scope: Construct, construct_id: str, foundation: Foundation) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(
            self,
            "Bus",
            description=f"What happens to recordings of the stage {foundation.settings.stage}",
            kms_key=customer_key(self, foundation.settings),
        )
