"""Kill runs with SIGKILL: every JSON line is whole, and the video plays.

Each run writes JSON lines and an annotated video of drawn faces, and is killed at a random moment
after both have begun.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import av


def main(arguments: list[str]) -> int:
    """Run and kill; print how many were whole.

    Args:
        arguments: Words of the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=2.0, help="seconds until the kill")
    given = parser.parse_args(arguments)
    chance = random.Random(given.seed)
    whole = plays = lines = frames = 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            found = kill_once(Path(folder), chance.uniform(0, given.longest))
            whole, plays = whole + found["whole"], plays + (found["frames"] > 0)
            lines, frames = lines + found["lines"], frames + found["frames"]
    print(f"JSON lines whole: {whole} of {given.rounds} ({lines:,} lines)")
    print(f"video plays: {plays} of {given.rounds} ({frames:,} frames)")
    return 0 if whole == plays == given.rounds else 1


def kill_once(folder: Path, delay_s: float) -> dict[str, int]:
    """Start a run, kill it, and look at what it left.

    Args:
        folder: Where it writes.
        delay_s: Seconds from its beginning to the kill.

    Returns:
        "whole": 1 where all lines are; "lines": their number; "frames": those of the video.
    """
    output, video = folder / "out.jsonl", folder / "out.mp4"
    video.unlink(missing_ok=True)
    command = [sys.executable, "-m", "edgeemo", "live", "test", "--json", "--annotate", str(video)]
    with (
        output.open("wb") as stream,
        subprocess.Popen(command, stdout=stream, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            while process.poll() is None and not (has_content(output) and has_content(video)):
                time.sleep(0.005)
            time.sleep(delay_s)
        finally:
            process.kill()
    lines = output.read_bytes().split(b"\n")
    return {
        "whole": int(lines[-1] == b"" and all(map(is_json, lines[:-1]))),
        "lines": len(lines) - 1,
        "frames": count_frames(video),
    }


def has_content(path: Path) -> bool:
    """Return whether a file is there and not empty."""
    return path.exists() and path.stat().st_size > 0


def is_json(line: bytes) -> bool:
    """Return whether a line is a JSON value."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def count_frames(path: Path) -> int:
    """Return the number of frames of a video up to where it is cut off; 0 of one that is none.

    Args:
        path: The video.
    """
    frames = 0
    with suppress(av.error.FFmpegError, IndexError), av.open(str(path)) as container:
        for _ in container.decode(video=0):
            frames += 1
    return frames
