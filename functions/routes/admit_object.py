"""POST /media"""

from functools import partial

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.retries.admit_object import admit_object
from recording_insights.retries.request import AdmissionRequest
from recording_insights.settings import AdmitObjectSettings
from wiring import Wiring

wiring = Wiring(AdmitObjectSettings)


@http_route(function_logger("admit-object"))
def handler(request: HttpRequest) -> HttpResponse:
    """202, and the ids of the recording and the media object; 503 in a pause."""
    wiring.intake.check_open()
    bucket = wiring.settings.recordings_bucket
    wanted = AdmissionRequest.from_body(request.json_object(), providers=wiring.settings.providers)
    admitted = admit_object(
        wanted.key,
        bucket=bucket,
        store=wiring.media,
        find=partial(wiring.s3_media.find, bucket),
        admit=partial(wiring.admit, who=request.who, provider=wanted.provider),
    )
    return HttpResponse(dict(admitted), 202)
