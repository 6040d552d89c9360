"""The bus of the stack's own events."""

from aws_cdk import aws_events as events
from constructs import Construct


class Events(Construct):
    """`bus` carries the events of the stack."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(self, "Bus")
