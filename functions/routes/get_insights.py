"""GET /recordings/{recording_id}/insights"""

from functools import lru_cache

from aws_lambda_powertools import Logger

from recording_insights.aws import clients
from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.settings import FunctionSettings
from recording_insights.store.insights import InsightStore

settings = lru_cache(maxsize=1)(FunctionSettings.from_env)


@http_route(Logger(service="get-insights"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: transcript and insights so far; with the recording's status, which says whether more will come."""
    collection = InsightStore(clients.table(settings().table_name)).read(request.recording_id)
    return HttpResponse(answer_insights(request.recording_id, collection, cursor=request.query.get("cursor")))
