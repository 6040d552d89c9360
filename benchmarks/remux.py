"""Compares the remux of a recording with FFmpeg's command line: `make bench`.

Each run is a process of its own. Both take turns, and the ratios are the median over the pairs: other work on the
machine slows both down. Peak memory is the kernel's figure for the process.
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
from statistics import median

from benchmarks import PLAYLIST

RECORDINGS = {
    "10 min": (600, 700_000),
    "2 h": (7200, 700_000),
    "6 h": (21_600, 700_000),
    "10 min, a frame per PES packet": (600, 0),
    "2 h, a frame per PES packet": (7200, 0),
    "6 h, a frame per PES packet": (21_600, 0),
}
"""Seconds, and µs of audio in one PES packet. FFmpeg writes 0.7 s, and the other extreme is a frame."""
ROUNDS = 3
OUR_TARGET, FFMPEGS_TARGET = "ours.mp4", "ffmpeg.mp4"
ADTS_HEADER, ADTS_START = 7, b"\xff\xf1"


@dataclass(frozen=True)
class Run:
    """One process: wall time in all and without Python's start, the CPU time of the latter, and peak memory."""

    process_s: float
    work_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Result:
    """The runs for one recording, in pairs. `ffmpeg` is empty if there is no FFmpeg."""

    recording: str
    ours: Sequence[Run]
    ffmpeg: Sequence[Run]

    def ratio(self, measure: Callable[[Run], float], ffmpegs: Callable[[Run], float]) -> float | None:
        """Return the median of our figure divided by FFmpeg's, or None if there is no FFmpeg."""
        if not self.ffmpeg:
            return None
        return median(measure(our) / ffmpegs(its) for our, its in zip(self.ours, self.ffmpeg, strict=True))

    @property
    def ratios(self) -> dict[str, float | None]:
        """Return the ratios of wall time, of CPU time, and of wall time with Python's start."""
        return {
            "wall": self.ratio(lambda run: run.work_s, lambda run: run.work_s),
            "cpu": self.ratio(lambda run: run.cpu_s, lambda run: run.cpu_s),
            "process": self.ratio(lambda run: run.process_s, lambda run: run.process_s),
        }


def main() -> None:
    """Print a table, or JSON with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg"), help="path of FFmpeg's command line tool")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"pairs of runs per recording ({ROUNDS})")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        print(json.dumps(_work(chosen.work)))
        return
    results = _measure(chosen.ffmpeg, chosen.rounds)
    if chosen.json:
        print(json.dumps([{**asdict(result), "ratios": result.ratios} for result in results], indent=2))
    else:
        _show(results)


def _measure(ffmpeg: str | None, rounds: int) -> list[Result]:
    results = []
    for recording, (seconds, pes_us) in RECORDINGS.items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "recording"
            # A process of its own: a child process starts with the memory figure of its parent.
            subprocess.run([sys.executable, "-m", "benchmarks.hls", folder, str(seconds), str(pes_us)], check=True)  # noqa: S603
            ours, ffmpegs = [], []
            for _ in range(rounds):
                ours.append(_run_ours(folder))
                if ffmpeg:
                    ffmpegs.append(_run_ffmpeg(ffmpeg, folder))
            results.append(Result(recording, ours, ffmpegs))
    return results


def _run_ours(folder: Path) -> Run:
    run, output = _run([sys.executable, "-m", "benchmarks.remux", "--work", str(folder)])
    work_s, cpu_s = json.loads(output)
    return Run(run.process_s, work_s, cpu_s, run.peak_mb)


def _run_ffmpeg(ffmpeg: str, folder: Path) -> Run:
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-y", "-i", str(folder / PLAYLIST), "-c", "copy"]
    return _run([*command, str(folder / FFMPEGS_TARGET)])[0]


def _run(command: Sequence[str]) -> tuple[Run, str]:
    """Run a process to its end. Returns its figures and its standard output."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - fixed arguments
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with exit code {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    peak_mb = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return Run(seconds, seconds, usage.ru_utime + usage.ru_stime, peak_mb), output


def _work(folder: Path) -> tuple[float, float]:
    """Remux a recording. Returns wall and CPU seconds from the playlist to the file, without imports."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
    from recording_insights.hls.playlist import parse_playlist
    from recording_insights.hls.remux.remux import remux
    from recording_insights.hls.timeline import place_segments

    began, cpu_began = time.perf_counter(), time.process_time()
    playlist = parse_playlist((folder / PLAYLIST).read_bytes())
    read: Callable[[str], bytes] = lambda name: (folder / name).read_bytes()  # noqa: E731 - the function reads from S3
    prepared = remux(place_segments([playlist.segments]).segments, read, folder / OUR_TARGET)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    assert not prepared.lost
    assert prepared.duration_ms >= sum(segment.seconds for segment in playlist.segments) * 1000 - 1
    assert _first_frame(folder / OUR_TARGET) == _first_frame(folder / playlist.segments[0].name), "it was re-encoded"
    return seconds, cpu_seconds


def _first_frame(file: Path) -> bytes:
    """Return the first encoded frame, without its ADTS header."""
    import av

    with av.open(str(file)) as opened:
        frame = bytes(next(opened.demux(audio=0)))
    return frame[ADTS_HEADER:] if frame.startswith(ADTS_START) else frame


def _show(results: Sequence[Result]) -> None:
    # The measured process does not need it.
    from rich.console import Console
    from rich.table import Table

    table = Table(title="HLS segments to one MP4, without re-encoding: remux / ffmpeg -c copy")
    columns = ("recording", "wall time", "CPU time", "with Python's start", "peak memory", "FFmpeg's peak memory")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for result in results:
        table.add_row(
            result.recording,
            *(f"{ratio:.2f}" if ratio else "–" for ratio in result.ratios.values()),
            *(_peak(runs) for runs in (result.ours, result.ffmpeg)),
        )
    console = Console()
    console.print(table)
    if not all(result.ffmpeg for result in results):
        console.print("There is no ffmpeg on PATH. Name one with --ffmpeg to get ratios, or use --json for our times.")


def _peak(runs: Sequence[Run]) -> str:
    return f"{median(run.peak_mb for run in runs):.0f} MB" if runs else "–"


if __name__ == "__main__":
    main()
