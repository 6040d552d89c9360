"""EventBridge "Object Created" in the recordings bucket: starts one execution for each media object."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.media.intake import admit_media
from recording_insights.model.media_object import MediaObject
from recording_insights.settings import AdmitMediaSettings
from wiring import Wiring

logger = Logger(service="admit-media")
wiring = Wiring(AdmitMediaSettings)


def handler(event: dict[str, Any], context: object) -> Mapping[str, Any]:
    """Returns the ids of the execution, or why the object is ignored.

    After an exception, Lambda tries again. In the end the event goes to the dead-letter queue.
    """
    media = MediaObject.from_event(event)
    outcome = admit_media(
        media,
        store=wiring.media,
        default_provider=wiring.settings.provider,
        prefix_providers=wiring.stage_settings.prefix_providers,
        reader=wiring.s3_media.range_reader,
        checksum=wiring.s3_media.checksum,
        folder=wiring.folder_of(media.bucket),
        start_execution=wiring.start_processing,
    )
    logger.info("ignored" if "ignored" in outcome else "admitted", extra={"key": media.key, **outcome})
    return outcome
