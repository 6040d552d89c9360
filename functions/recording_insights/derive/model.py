"""The port to a model."""

from collections.abc import Mapping
from typing import Any, Protocol


class Model(Protocol):
    """A model behind Amazon Bedrock's Converse."""

    def converse(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a request. Both have the members of Converse, as boto3 names them.

        Raises:
            ProviderBusy: it throttles, or the model is not ready.
            ProviderUnavailable: no usable answer, a time-out or a fault of its own: wait, then try again.
            ModelUnusable: no access to the model, or there is none of this id here: an operator must act.
            ModelRefused: it refuses this request, with its reason.
            ReplyTooLarge: the answer is larger than any that is read.
        """
