"""GET /providers"""

from recording_insights.http.edge import HttpRequest, HttpResponse, http_route
from recording_insights.logs import function_logger
from recording_insights.processing.providers import list_providers
from recording_insights.settings import ListProvidersSettings
from wiring import Wiring

wiring = Wiring(ListProvidersSettings)


@http_route(function_logger("list-providers"))
def handler(request: HttpRequest) -> HttpResponse:
    """200: each provider of the stack with its slots, its queue and its health."""
    names, prefixes = wiring.takers(wiring.settings.providers), wiring.stage_settings.prefix_providers
    return HttpResponse(list_providers(names, turns=wiring.turns, prefixes=prefixes))
