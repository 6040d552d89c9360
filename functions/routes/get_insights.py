"""GET /recordings/{recording_id}/insights"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.recordings.insights_answer import INSIGHTS_PARAMETERS, answer_insights
from recording_insights.settings import GetInsightsSettings
from wiring import Wiring

wiring = Wiring(GetInsightsSettings)


@http_route(function_logger("get-insights"), parameters=INSIGHTS_PARAMETERS)
def handler(request: HttpRequest) -> HttpResponse:
    """200: the transcript and the insights so far, with the status of the recording."""
    collection = wiring.insights.read(request.recording_id)
    return HttpResponse(answer_insights(request.recording_id, collection, cursor=request.query.get("cursor")))
