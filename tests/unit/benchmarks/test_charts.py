"""The charts of the benchmarks."""

from xml.etree import ElementTree

from benchmarks.charts import HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_places_its_points_within_its_frame_and_names_its_series() -> None:
    drawn = chart(
        "Polls & delay", "polls", "seconds", {"<best>": [(2, 50), (20, 5)], "ours": [(200, 0.4)]}, is_log=True
    )

    root = ElementTree.fromstring(drawn)  # noqa: S314  our own text
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"Polls & delay", "polls", "seconds", "<best>", "ours", "1", "0.5", "200", "1,000"} <= set(texts)
    [dot] = root.iter(f"{SVG}circle")
    assert LEFT < float(dot.attrib["cx"]) < WIDTH - RIGHT
    assert TOP < float(dot.attrib["cy"]) < HEIGHT


def test_axes_that_are_not_logarithmic_begin_at_0() -> None:
    root = ElementTree.fromstring(chart("Queues", "time", "per cent", {"ideal": [(1, 0), (1, 100)]}))  # noqa: S314

    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count("0") == 2
    assert {"0.1", "1", "10", "100"} <= set(texts)
