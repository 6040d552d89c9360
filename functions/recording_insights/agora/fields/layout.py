"""The picture of a mix of several videos: its canvas, its layout and its backgrounds."""

from typing import Any

from recording_insights.agora.fields.translation import (
    Field,
    Fields,
    agora_object,
    agora_objects,
    named_value,
    read_fields,
)
from recording_insights.agora.fields.uids import uid
from recording_insights.errors import InvalidRequest
from recording_insights.validation import Reader, colour, link, number, whole_number

MOST_REGIONS = 17
MOST_PIXELS = 1920 * 1080
CANVAS = (360, 640)
"""Agora's width and height of a mix whose request names none."""
VERTICAL, CUSTOM = 2, 3

_picture = link("https", "http")
_render_mode = named_value(crop=0, fit=1)
_share = number(0, 1).mapped(lambda value: round(value, 6))
"""A part of the whole, 0 to 1; Agora reads six decimals."""

REGION: Fields = {
    "uid": Field("uid", uid),
    "x": Field("x_axis", _share, required=True),
    "y": Field("y_axis", _share, required=True),
    "width": Field("width", _share, required=True),
    "height": Field("height", _share, required=True),
    "alpha": Field("alpha", _share),
    "render_mode": Field("render_mode", _render_mode),
}
USER_BACKGROUND: Fields = {
    "uid": Field("uid", uid, required=True),
    "image_url": Field("image_url", link("https"), required=True),
    "render_mode": Field("render_mode", _render_mode),
}

_LAYOUTS = {"floating": 0, "best_fit": 1, "vertical": VERTICAL}
_regions = agora_objects(REGION, most=MOST_REGIONS)


def _read_layout_field(path: str, value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"mixedVideoLayout": CUSTOM, "layoutConfig": _regions(path, value)}
    if not isinstance(value, str) or value not in _LAYOUTS:
        raise InvalidRequest(path, f"must be one of {', '.join(_LAYOUTS)}, or a list of 1 to {MOST_REGIONS} regions")
    return {"mixedVideoLayout": _LAYOUTS[value]}


_layout = Reader(_read_layout_field, {"anyOf": [{"type": "string", "enum": list(_LAYOUTS)}, _regions.schema]})
"""The name of one of Agora's layouts, or a list of regions."""

LAYOUT: Fields = {
    "layout": Field(None, _layout),
    "max_resolution_uid": Field("maxResolutionUid", uid),
    "background_color": Field("backgroundColor", colour),
    "background_image": Field("backgroundImage", _picture),
    "default_user_background_image": Field("defaultUserBackgroundImage", _picture),
    "backgrounds": Field("backgroundConfig", agora_objects(USER_BACKGROUND, most=MOST_REGIONS)),
}
TRANSCODING: Fields = {
    "width": Field("width", whole_number(1, 1920)),
    "height": Field("height", whole_number(1, 1920)),
    "fps": Field("fps", whole_number(1)),
    "bitrate": Field("bitrate", whole_number(1)),
    **LAYOUT,
}


def read_layout(given: Any, path: str = "", fields: Fields = LAYOUT) -> dict[str, Any]:
    """Return Agora's layout for the object that lies at `path`. Agora has a default for every field left out.

    Raises:
        InvalidRequest: as `read_fields` does.
    """
    layout = read_fields(fields, given, path)
    if "maxResolutionUid" in layout and layout.get("mixedVideoLayout") != VERTICAL:
        name = f"{path}.max_resolution_uid" if path else "max_resolution_uid"
        raise InvalidRequest(name, "is for the layout vertical")
    return layout


def _read_transcoding(path: str, value: Any) -> dict[str, Any]:
    mix = read_layout(value, path, TRANSCODING)
    if mix.get("width", CANVAS[0]) * mix.get("height", CANVAS[1]) > MOST_PIXELS:
        raise InvalidRequest(f"{path}.width", "times height must not exceed 1920 × 1080")
    return mix


transcoding = Reader(_read_transcoding, agora_object(TRANSCODING).schema)
"""Canvas and layout of a mix."""
