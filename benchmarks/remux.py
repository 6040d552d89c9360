"""How fast a recording's slices become one file, beside FFmpeg's own command line: `make bench`.

Each run is a process of its own, ours and FFmpeg's in turn; the best of each counts. Memory is the most that the
process ever held, as the kernel tells it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import PLAYLIST

RECORDINGS = {
    "10 min": (600, 700_000),
    "2 h": (7200, 700_000),
    "6 h": (21_600, 700_000),
    "10 min, a load per frame": (600, 0),
    "2 h, a load per frame": (7200, 0),
    "6 h, a load per frame": (21_600, 0),
}
"""Seconds, and µs of sound in one load of the transport: FFmpeg takes 0.7 s, the other extreme is a frame."""
ROUNDS = 3
OUR_TARGET, FFMPEGS_TARGET = "ours.mp4", "ffmpeg.mp4"


@dataclass(frozen=True)
class Run:
    """One process: wall time of the whole, of that the work without Python's start (same for FFmpeg), peak MB."""

    process_s: float
    work_s: float
    peak_mb: float


@dataclass(frozen=True)
class Result:
    """The best runs for one length of recording; FFmpeg's is None if there is no FFmpeg."""

    length: str
    ours: Run
    ffmpeg: Run | None

    @property
    def ratio(self) -> float | None:
        """Our work to FFmpeg's run."""
        return self.ours.work_s / self.ffmpeg.work_s if self.ffmpeg else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg"), help="FFmpeg's command line, if not on the path")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on standard output")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each, of which the best counts ({ROUNDS})")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        print(json.dumps(_work(chosen.work)))
        return
    results = _measure(chosen.ffmpeg, chosen.rounds)
    if chosen.json:
        print(json.dumps([{**asdict(result), "ratio": result.ratio} for result in results], indent=2))
    else:
        _show(results)


def _measure(ffmpeg: str | None, rounds: int) -> list[Result]:
    results = []
    for length, (seconds, load_us) in RECORDINGS.items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "recording"
            # In a process of its own: what this one holds would count as memory of those that it starts.
            subprocess.run([sys.executable, "-m", "benchmarks.hls", folder, str(seconds), str(load_us)], check=True)  # noqa: S603
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(_run_ours(folder))
                if ffmpeg:
                    theirs.append(_run_ffmpeg(ffmpeg, folder))
            results.append(Result(length, _best(ours), _best(theirs) if theirs else None))
    return results


def _best(runs: Sequence[Run]) -> Run:
    return min(runs, key=lambda run: run.work_s)


def _run_ours(folder: Path) -> Run:
    command = [sys.executable, "-m", "benchmarks.remux", "--work", str(folder)]
    seconds, peak_mb, output = _run(command)
    return Run(seconds, float(json.loads(output)), peak_mb)


def _run_ffmpeg(ffmpeg: str, folder: Path) -> Run:
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-y", "-i", str(folder / PLAYLIST), "-c", "copy"]
    seconds, peak_mb, _ = _run([*command, str(folder / FFMPEGS_TARGET)])
    return Run(seconds, seconds, peak_mb)


def _run(command: Sequence[str]) -> tuple[float, float, str]:
    """Wall seconds, peak MB and standard output of a process of its own."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6, output


def _work(folder: Path) -> float:
    """From the playlist to the file, in seconds; the process's start and imports are over."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
    from recording_insights.hls.playlist import parse_playlist
    from recording_insights.hls.remux.remux import remux
    from recording_insights.hls.timeline import lay_out

    began = time.perf_counter()
    playlist = parse_playlist((folder / PLAYLIST).read_bytes())
    read: Callable[[str], bytes] = lambda name: (folder / name).read_bytes()  # noqa: E731 - what S3 is to the function
    prepared = remux(lay_out([playlist.segments]).pieces, read, folder / OUR_TARGET)
    seconds = time.perf_counter() - began
    assert not prepared.lost
    assert not prepared.reencoded
    assert prepared.duration_ms >= sum(segment.seconds for segment in playlist.segments) * 1000 - 1
    return seconds


def _show(results: Sequence[Result]) -> None:
    # Not needed by the process that is measured.
    from rich.console import Console
    from rich.table import Table

    table = Table(title="HLS slices to one MP4, nothing re-encoded")
    columns = ("recording", "remux", "with Python's start", "peak", "ffmpeg -c copy", "peak", "remux / ffmpeg")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for result in results:
        theirs = result.ffmpeg
        table.add_row(
            result.length,
            f"{result.ours.work_s:.2f} s",
            f"{result.ours.process_s:.2f} s",
            f"{result.ours.peak_mb:.0f} MB",
            f"{theirs.process_s:.2f} s" if theirs else "–",
            f"{theirs.peak_mb:.0f} MB" if theirs else "–",
            f"{result.ratio:.2f}" if result.ratio else "–",
        )
    console = Console()
    console.print(table)
    if not all(result.ffmpeg for result in results):
        console.print("No ffmpeg on the path (or named with --ffmpeg): our figures alone.")


if __name__ == "__main__":
    main()
