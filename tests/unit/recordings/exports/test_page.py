"""The page, read by html5lib, which refuses what is no valid HTML."""

import re
from base64 import b64encode
from hashlib import sha256
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]

from recording_insights.model.insights import Topic, Utterance
from recording_insights.recordings.exports.lines import one_line
from recording_insights.recordings.exports.page import write_html
from tests.unit.recordings.exports.whole import HOSTILE, hostile, letters, whole

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "ol", "li", "div", "b", "bdi", "time"),
}


def read(page: str) -> Element:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(page)
    return root


def text_of(element: Element | None) -> str:
    assert element is not None
    return "".join(element.itertext())


def test_a_page_has_the_findings_and_each_line_with_its_own_direction() -> None:
    answer = whole(
        Utterance("Guten Tag.", "7", 65_000),
        Utterance("שלום"),
        speakers={"7": "Ann"},
        topics=[Topic("greeting")],
        language="de-DE",
    )

    root = read(write_html({**answer, "channel": "support <42>"}))

    assert text_of(root.find("head/title")) == text_of(root.find("body/h1")) == "support <42>"
    assert [text_of(each) for each in root.findall("body/h2")] == ["Topics", "Transcript"]
    [transcript] = root.findall("body/ol")
    assert (root.get("lang"), transcript.get("lang")) == ("en", "de-DE")
    assert [text_of(line) for line in transcript] == ["Ann 00:01:05Guten Tag.", "שלום"]
    assert [line.get("dir") for line in transcript.iter("p")] == ["auto", "auto"]


def test_a_page_needs_nothing_else_and_runs_nothing() -> None:
    root = read(write_html(hostile()))

    assert {element.tag for element in root.iter()} == ELEMENTS
    attributes = {name for element in root.iter() for name in element.attrib}
    assert attributes == {"lang", "dir", "class", "charset", "http-equiv", "content", "name"}
    [policy] = [meta.get("content", "") for meta in root.iter("meta") if meta.get("http-equiv")]
    style = b64encode(sha256(text_of(root.find("head/style")).encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import", write_html(hostile()))


def test_hostile_texts_are_read_as_they_were_meant() -> None:
    root = read(write_html(hostile()))

    lines = [text_of(line) for line in root.findall("body/ol/li/p")]
    assert lines == 2 * [one_line(text) for text in HOSTILE]
    [transcript] = root.findall("body/ol")
    assert transcript.get("lang") == ""
    summary = text_of(root.find("body"))
    assert letters(HOSTILE) in letters(summary)


def test_a_page_of_nothing_is_a_page() -> None:
    assert read(write_html(whole())).find("body/ol") is None
