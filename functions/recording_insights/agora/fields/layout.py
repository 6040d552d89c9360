"""How a mix of several videos looks: its canvas, its layout, its backgrounds."""

from typing import Any

from recording_insights.errors import InvalidRequest
from recording_insights.validation import (
    Field,
    Fields,
    colour,
    link,
    objects,
    one_of,
    read_fields,
    share,
    uid,
    whole_number,
)

MOST_REGIONS = 17
MOST_PIXELS = 1920 * 1080
CANVAS = (360, 640)
"""Agora's width and height of a mix whose request names none."""
VERTICAL, CUSTOM = 2, 3

_picture = link("https", "http")
_render_mode = one_of(crop=0, fit=1)

REGION: Fields = {
    "uid": Field("uid", uid),
    "x": Field("x_axis", share, required=True),
    "y": Field("y_axis", share, required=True),
    "width": Field("width", share, required=True),
    "height": Field("height", share, required=True),
    "alpha": Field("alpha", share),
    "render_mode": Field("render_mode", _render_mode),
}
USER_BACKGROUND: Fields = {
    "uid": Field("uid", uid, required=True),
    "image_url": Field("image_url", link("https"), required=True),
    "render_mode": Field("render_mode", _render_mode),
}


def _layout(path: str, value: Any) -> dict[str, Any]:
    """The name of a layout, or the regions of one's own."""
    if isinstance(value, list):
        return {"mixedVideoLayout": CUSTOM, "layoutConfig": objects(REGION, most=MOST_REGIONS)(path, value)}
    named = {"floating": 0, "best_fit": 1, "vertical": VERTICAL}
    if not isinstance(value, str) or value not in named:
        raise InvalidRequest(path, f"must be one of {', '.join(named)}, or a list of 1 to {MOST_REGIONS} regions")
    return {"mixedVideoLayout": named[value]}


LAYOUT: Fields = {
    "layout": Field(None, _layout),
    "max_resolution_uid": Field("maxResolutionUid", uid),
    "background_color": Field("backgroundColor", colour),
    "background_image": Field("backgroundImage", _picture),
    "default_user_background_image": Field("defaultUserBackgroundImage", _picture),
    "backgrounds": Field("backgroundConfig", objects(USER_BACKGROUND, most=MOST_REGIONS)),
}
TRANSCODING: Fields = {
    "width": Field("width", whole_number(1, 1920)),
    "height": Field("height", whole_number(1, 1920)),
    "fps": Field("fps", whole_number(1)),
    "bitrate": Field("bitrate", whole_number(1)),
    **LAYOUT,
}


def read_layout(given: Any, path: str = "", fields: Fields = LAYOUT) -> dict[str, Any]:
    """Agora's layout; what is left out has Agora's default.

    Raises:
        InvalidRequest: as `read_fields` does.
    """
    told = read_fields(fields, given, path)
    if "maxResolutionUid" in told and told.get("mixedVideoLayout") != VERTICAL:
        raise InvalidRequest(f"{path}max_resolution_uid", "is for the layout vertical")
    return told


def transcoding(path: str, value: Any) -> dict[str, Any]:
    """Canvas and layout."""
    told = read_layout(value, f"{path}.", TRANSCODING)
    if told.get("width", CANVAS[0]) * told.get("height", CANVAS[1]) > MOST_PIXELS:
        raise InvalidRequest(f"{path}.width", "times height must not exceed 1920 × 1080")
    return told
