"""Shared objects cut down to what the loader maps: the real ones of this host still work, odd ones stay as they are."""

import mmap
import shutil
import struct
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import av
import pytest

from infra.bundling.loadable_elf import Segment, loadable, segments_of
from infra.bundling.native_wheels import slim
from sandbox.cloud.location import PROJECT

LOAD, DYNAMIC, NOTE, STACK, EH_FRAME, RELRO = 1, 2, 4, 0x6474E551, 0x6474E550, 0x6474E552
WIDE = 0x10000
TEXT, DATA, NOTE_TEXT, DEBUG = b"what runs" * 700, b"what is written" * 90, b"a note for tools", b"symbols" * 9000

only_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="this host's libraries have another format")


def shared_object(*, alignment: int = WIDE, kind: int = 3, wants: int = 16, extra: tuple[Segment, ...] = ()) -> bytes:
    """One in the manner of arm64: text and data in segments of 64 KiB, then notes and symbols that nobody maps."""
    content = bytearray(WIDE)
    at = len(content)
    content += TEXT + bytes(0x0B58 + WIDE - len(TEXT))
    data_at = len(content)
    content += DATA
    note_at = len(content)
    content += NOTE_TEXT + DEBUG
    sections_at = len(content)
    text_section = (0, 1, 2, at, at, len(TEXT), 0, 0, wants, 0)
    symbols_section = (0, 2, 0, 0, note_at, len(DEBUG), 0, 0, WIDE, 0)
    for section in (text_section, symbols_section):
        content += struct.pack("<IIQQQQIIQQ", *section)
    segments = [
        Segment(LOAD, 4, 0, 0, 0, 0x400, 0x400, alignment),
        Segment(STACK, 6, 0, 0, 0, 0, 0, 16),
        Segment(LOAD, 5, at, at, at, len(TEXT), len(TEXT), alignment),
        Segment(LOAD, 6, data_at, data_at + WIDE, data_at + WIDE, len(DATA), 2 * len(DATA), alignment),
        Segment(DYNAMIC, 6, data_at + 90, data_at + WIDE + 90, data_at + WIDE + 90, 120, 120, 8),
        Segment(RELRO, 4, data_at, data_at + WIDE, data_at + WIDE, 210, 210, 1),
        Segment(EH_FRAME, 4, at + 9, at + 9, at + 9, 90, 90, 4),
        Segment(NOTE, 4, note_at, 0, 0, len(NOTE_TEXT), len(NOTE_TEXT), 4),
        *extra,
    ]
    content[:64] = struct.pack(
        "<16sHHIQQQIHHHHHH",
        *(b"\x7fELF\x02\x01\x01", kind, 183, 1, 0, 64, sections_at, 0, 64, 56, len(segments), 64, 2, 1),
    )
    for number, segment in enumerate(segments):
        struct.pack_into("<IIQQQQQQ", content, 64 + 56 * number, *astuple(segment))
    return bytes(content)


def mapped(content: bytes, segment: Segment) -> bytes:
    return content[segment.offset : segment.offset + segment.size]


def assert_loads_alike(before: bytes, after: bytes, page: int) -> None:
    """Every segment that the loader knows has the same content at the same address, and a place that it takes."""
    loads = [segment for segment in segments_of(after) if segment.kind == LOAD]
    for load in loads:
        assert load.alignment == page
        assert load.offset % page == load.address % page
        assert load.end <= len(after)
    for old, new in zip(segments_of(before), segments_of(after), strict=True):
        if new.kind == 0:
            assert old.kind == NOTE
            continue
        assert (new.kind, new.flags, new.address, new.size, new.memory) == (
            (old.kind, old.flags, old.address, old.size, old.memory)
        )
        # The first segment holds the headers themselves.
        skipped = 64 + 56 * len(segments_of(after)) if new.offset == 0 else 0
        assert mapped(after, new)[skipped:] == mapped(before, old)[skipped:]
        if new.kind != LOAD and new.size:
            assert_lies_in_one(new, loads)


def assert_lies_in_one(segment: Segment, loads: list[Segment]) -> None:
    [around] = [load for load in loads if load.offset <= segment.offset and segment.end <= load.end]
    assert segment.offset - around.offset == segment.address - around.address


def test_segments_move_together_and_the_rest_goes() -> None:
    before = shared_object()
    after = loadable(before, page=4096)
    assert_loads_alike(before, after, 4096)
    assert len(after) < 4 * 4096 + len(TEXT) + len(DATA)
    assert DEBUG[:64] not in after
    assert struct.unpack_from("<Q", after, 40) == (0,)
    assert struct.unpack_from("<HH", after, 60) == (0, 0)
    assert loadable(after, page=4096) == after


def test_the_kernels_page_is_the_least_alignment() -> None:
    after = loadable(shared_object(), page=16384)
    assert_loads_alike(shared_object(), after, 16384)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7fELF",
        b"#!/bin/sh\necho no library\n",
        shared_object()[:40],
        shared_object()[: WIDE + 100],
        b"\x7fELF\x01" + shared_object()[5:],
        b"\x7fELF\x02\x02" + shared_object()[6:],
        shared_object(kind=2),
        shared_object(alignment=0),
        shared_object(alignment=512),
        shared_object(wants=8192),
        shared_object(extra=(Segment(DYNAMIC, 6, 5 * WIDE, 5 * WIDE, 0, 64, 64, 8),)),
        shared_object(extra=(Segment(LOAD, 4, 0x100, 9 * WIDE + 0x100, 0, 64, 64, WIDE),)),
        shared_object(extra=(Segment(LOAD, 4, 9 * WIDE, 9 * WIDE, 0, 64, 64, WIDE),)),
    ],
    ids=[
        "nothing",
        "four bytes",
        "a script",
        "half a header",
        "truncated",
        "32 bits",
        "big-endian",
        "a program",
        "no alignment",
        "smaller pages",
        "content with an alignment of its own",
        "a header that points nowhere",
        "overlapping segments",
        "a segment after the end",
    ],
)
def test_what_is_not_understood_stays_as_it_is(content: bytes) -> None:
    assert loadable(content, page=4096) == content


@only_on_linux
def test_every_library_of_this_hosts_wheel_is_understood() -> None:
    libraries = [path for folder in _folders_of_pyav() for path in folder.rglob("*.so*")]
    assert len(libraries) > 50
    for path in libraries:
        before = path.read_bytes()
        after = loadable(before, page=mmap.PAGESIZE)
        assert len(after) < len(before), path.name
        assert_loads_alike(before, after, mmap.PAGESIZE)


@only_on_linux
def test_the_libraries_of_this_host_work_afterwards(tmp_path: Path) -> None:
    for folder in _folders_of_pyav():
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    slim(tmp_path, page=mmap.PAGESIZE)
    assert not list(tmp_path.rglob("*.pxd"))
    target = tmp_path / "copied.m4a"
    script = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import av
        assert av.__file__.startswith(sys.argv[1]), av.__file__
        with av.open(sys.argv[2]) as source, av.open(sys.argv[3], "w", format="mp4") as copy:
            stream = copy.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    copy.mux(packet)
        with av.open(sys.argv[3]) as copy:
            print(sum(frame.samples for frame in copy.decode(audio=0)))
    """
    sample = PROJECT / "sandbox" / "sample" / "conversation.mp4"
    arguments = [sys.executable, "-c", _dedented(script), str(tmp_path), str(sample), str(target)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    assert done.returncode == 0, done.stderr
    with av.open(str(sample)) as source:
        assert int(done.stdout) == sum(frame.samples for frame in source.decode(audio=0))


def _folders_of_pyav() -> list[Path]:
    package = Path(av.__file__).parent
    return [package, package.with_name("av.libs")]


def _dedented(script: str) -> str:
    return "\n".join(line[8:] for line in script.splitlines())
