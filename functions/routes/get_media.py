"""GET /recordings/{recording_id}/media"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.media_links import list_links
from recording_insights.settings import GetMediaSettings
from wiring import Wiring, utc_now

wiring = Wiring(GetMediaSettings)


@http_route(function_logger("get-media"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: short-lived links to play the recording's parts and tracks."""
    links = list_links(request.recording_id, store=wiring.recordings, link=wiring.s3_media.play_link, clock=utc_now)
    return HttpResponse(links)
