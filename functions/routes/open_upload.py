"""POST /uploads"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.providers.registry import validate_options
from recording_insights.recordings.derivation import derivation_by
from recording_insights.recordings.upload import UploadRequest, open_upload
from recording_insights.settings import OpenUploadSettings
from wiring import Wiring

wiring = Wiring(OpenUploadSettings)


@http_route(function_logger("open-upload"))
def handler(request: HttpRequest) -> HttpResponse:
    """201 for a recording that waits for its file, 200 for one that this request made before, 503 in a pause."""
    wiring.intake.check_open()
    wanted = UploadRequest.from_body(
        request.json_object(),
        providers=wiring.settings.providers,
        default_provider=wiring.settings.provider,
        validate_options=validate_options,
    )
    upload = open_upload(
        wanted,
        bucket=wiring.settings.recordings_bucket,
        store=wiring.recordings,
        sign=wiring.s3_media.upload_link,
        idempotency_key=request.headers.get("idempotency-key"),
        caller=request.caller,
        derivation_of=derivation_by(wiring.settings.insights_model),
        who=request.who,
    )
    location = f"/recordings/{upload.recording['recording_id']}"
    return HttpResponse(upload.public(), 201 if upload.new else 200, {"location": location})
