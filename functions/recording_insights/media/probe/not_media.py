"""Recognises objects that are no media, whatever their key: HTML, XML, JSON, PDF, ZIP and text."""

import codecs
import re

_BINARY = {b"PK\x03\x04": "a ZIP archive", b"PK\x05\x06": "a ZIP archive", b"%PDF-": "a PDF document"}
_BLANK = b"\t\n\x0b\x0c\r "
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_XML = re.compile(rb"<[!?/A-Za-z]")


def what_else(head: bytes) -> str | None:
    """Return what an object with these first bytes is; None if it may be media. `head` may end within a character."""
    for magic, name in _BINARY.items():
        if head.startswith(magic):
            return name
    text = head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
    if _HTML.match(text):
        return "an HTML page"
    if _XML.match(text):
        return "an XML document"
    if not _is_text(head):
        return None
    return "JSON" if text.startswith((b"{", b"[")) else "text"


def _is_text(head: bytes) -> bool:
    if _CONTROL.search(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
