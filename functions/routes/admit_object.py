"""POST /media"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.media.intake import admit_media
from recording_insights.model.media_object import MediaObject
from recording_insights.retries.admit_object import admit_object
from recording_insights.retries.request import read_key
from recording_insights.settings import AdmitObjectSettings
from wiring import Wiring

wiring = Wiring(AdmitObjectSettings)


@http_route(Logger(service="admit-object"))
def handler(request: HttpRequest) -> HttpResponse:
    """202, and the ids of the recording and the media object."""
    bucket = wiring.settings.recordings_bucket
    admitted = admit_object(
        read_key(request.json_object()),
        bucket=bucket,
        store=wiring.media,
        find=partial(wiring.s3_media.find, bucket),
        admit=_admit,
    )
    return HttpResponse(dict(admitted), 202)


def _admit(media: MediaObject) -> Mapping[str, Any]:
    return admit_media(
        media,
        store=wiring.media,
        default_provider=wiring.settings.provider,
        prefix_providers=wiring.stage_settings.prefix_providers,
        reader=wiring.s3_media.range_reader,
        checksum=wiring.s3_media.checksum,
        folder=wiring.folder,
        start_execution=wiring.start_processing,
    )
