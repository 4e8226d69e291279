"""edgeemo's runtime and other ways to answer the same images with the same network, side by side.

    python benchmarks/peers.py models/NAME [--images 100] [--rounds 9] [--starts 5]

Needs a model folder with model.keras, both .tflite and both .onnx files, and

    pip install --group bench && pip install --no-deps pnnx

(pnnx asks for PyTorch, which converting an .onnx file does not need). Every peer is a process of
its own (`benchmarks/peer.py`) with one thread. Cold: whole processes up to the first answer, in
turn; the wall clock's milliseconds and the processor's. Warm: all processes live on and answer
blocks of the same images in turn, so that whatever else the machine does strikes all; processor
time, and ratios to edgeemo's int8.tflite within a round. The images are drawn: 640x480 frames and
one of 12 megapixels.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from frames import drawn_frames
from machine import describe
from packaging.requirements import Requirement
from peer import MISSING, PEERS

ORIGINAL = "original"
BLOCK, LARGE_BLOCK = 20, 3
DECIDE = 0.5
ENGINE = Path(__file__).with_name("peer.py")
PIP_LINE = "pip install --group bench && pip install --no-deps pnnx"
TELEPHONE_COLUMNS = (
    "12 megapixels", "decode + resize ms", "inference ms", "together ms", "x edgeemo int8"
)  # fmt: skip
WEBCAM_COLUMNS = (
    "640x480", "cold ms", "cold processor ms", "peak MB", *TELEPHONE_COLUMNS[1:],
    "installed MB", "same label", "max \\|Δp\\|",
)  # fmt: skip
NEEDS = {
    "edgeemo int8.onnx": ("edgeemo", "onnxruntime"),
    "edgeemo float32.onnx": ("edgeemo", "onnxruntime"),
    "edgeemo": ("edgeemo",),
    "Keras": ("tensorflow", "keras", "pillow"),
    "OpenCV + tf.lite": ("tensorflow", "opencv-python-headless"),
    "Pillow + tf.lite": ("tensorflow", "pillow"),
    "tf.image": ("tensorflow",),
    "Pillow + LiteRT": ("ai-edge-litert", "pillow"),
    "Pillow + ONNX": ("onnxruntime", "pillow"),
    "Pillow + OpenVINO": ("openvino", "pillow"),
    "Pillow + ncnn": ("ncnn", "pillow"),
}
"""How a peer's name begins, to the packages that it needs."""


@dataclass
class Peer:
    """What was measured of one."""

    name: str
    cold_ms: list[float] = field(default_factory=list)
    cold_processor_ms: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    webcam: list[tuple[float, float]] = field(default_factory=list)
    telephone: list[tuple[float, float]] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    missing: str = ""

    def command(self, folder: Path, image: Path, network: Path) -> list[str]:
        """What to run."""
        return [sys.executable, ENGINE, self.name, folder, image, network]


def environment() -> dict[str, str]:
    """One thread, and no chatter."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **one, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )


def start_cold(peer: Peer, command: list[str]) -> None:
    """One whole process: how long to its answer, and the most memory that it held."""
    begin = time.perf_counter()
    process = start(command)
    answer = process.stdout.readline()
    ms = (time.perf_counter() - begin) * 1000
    process.stdin.close()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not answer:
        peer.missing = "not installed" if process.returncode == MISSING else "failed"
        return
    peer.cold_ms.append(ms)
    peer.cold_processor_ms.append((usage.ru_utime + usage.ru_stime) * 1000)
    peer.peak_mb.append(usage.ru_maxrss / 1024)


def ask(process: subprocess.Popen[str], images: list[Path]) -> list[tuple[float, float, float]]:
    """Have a running peer answer images."""
    print(json.dumps(list(map(str, images))), file=process.stdin, flush=True)
    return [tuple(each) for each in json.loads(process.stdout.readline())]


def block(process: subprocess.Popen[str], images: list[Path]) -> tuple[float, float]:
    """Medians of a block: processor milliseconds of decoding and resizing, and of inference."""
    answers = ask(process, images)
    return statistics.median(a[1] for a in answers), statistics.median(a[2] for a in answers)


def measure(
    peers: list[Peer], commands: dict[str, list[str]], frames: list[Path], large: Path, rounds: int
) -> None:
    """Everything warm; all peers in turn, round after round."""
    processes = {peer.name: start(commands[peer.name]) for peer in peers if not peer.missing}
    for process in processes.values():
        process.stdout.readline()
    there = [peer for peer in peers if peer.name in processes]
    for peer in there:
        peer.probabilities = [answer[0] for answer in ask(processes[peer.name], frames)]
        ask(processes[peer.name], [large])
    for number in range(rounds):
        begin = number * BLOCK % max(1, len(frames) - BLOCK)
        for peer in there:
            peer.webcam.append(block(processes[peer.name], frames[begin : begin + BLOCK]))
        for peer in there:
            peer.telephone.append(block(processes[peer.name], [large] * LARGE_BLOCK))
    for process in processes.values():
        process.stdin.close()
        process.wait()
        process.stdout.close()


def ncnn_network(model: Path, folder: Path) -> Path:
    """Convert float32.onnx for ncnn; the converter is a program inside the package pnnx.

    Returns:
        The path of the two files, without their suffixes; they are not there without pnnx.
    """
    found = find_spec("pnnx")
    if found and found.origin:
        (folder / "float32.onnx").write_bytes((model / "float32.onnx").read_bytes())
        program = Path(found.origin).parent / "pnnx"
        subprocess.run(
            [program, "float32.onnx"], cwd=folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    return folder / "float32.ncnn"


def installed_mb(name: str) -> float:
    """Megabytes of the packages that a peer needs, with those that these need."""
    roots = next(needs for begin, needs in NEEDS.items() if name.startswith(begin))
    waiting, seen, total = list(roots), set(), 0
    while waiting:
        package = waiting.pop().lower().replace("_", "-")
        if package in seen:
            continue
        seen.add(package)
        try:
            found = distribution(package)
        except PackageNotFoundError:
            continue  # for another platform, or left out on purpose
        files = {path.resolve() for path in map(Path, map(found.locate_file, found.files or ()))}
        total += sum(path.stat().st_size for path in files if path.is_file())
        for text in found.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                waiting.append(wanted.name)
    return total / 1e6


def print_webcam(peers: list[Peer], original: Peer) -> None:
    print(f"| {' | '.join(WEBCAM_COLUMNS)} |\n|{'---|' * len(WEBCAM_COLUMNS)}")
    for peer in peers:
        if peer.missing:
            blank = " |" * (len(WEBCAM_COLUMNS) - 2)
            print(f"| {peer.name} | {peer.missing}: {PIP_LINE} |{blank}")
            continue
        pairs = list(zip(peer.probabilities, original.probabilities, strict=True))
        same = sum((p >= DECIDE) == (q >= DECIDE) for p, q in pairs)
        print(
            f"| {peer.name} | {statistics.median(peer.cold_ms):.0f} "
            f"| {statistics.median(peer.cold_processor_ms):.0f} "
            f"| {statistics.median(peer.peak_mb):.0f} | {warm_cells(peer.webcam, peers[0].webcam)} "
            f"| {installed_mb(peer.name):.0f} | {same}/{len(pairs)} "
            f"| {max(abs(p - q) for p, q in pairs):.2g} |"
        )


def print_telephone(peers: list[Peer]) -> None:
    print(f"\n| {' | '.join(TELEPHONE_COLUMNS)} |\n|{'---|' * len(TELEPHONE_COLUMNS)}")
    for peer in peers:
        if not peer.missing:
            print(f"| {peer.name} | {warm_cells(peer.telephone, peers[0].telephone)} |")


def warm_cells(rounds: list[tuple[float, float]], ours: list[tuple[float, float]]) -> str:
    prepare, infer = (statistics.median(each[side] for each in rounds) for side in (0, 1))
    ratio = statistics.median(sum(a) / sum(b) for a, b in zip(rounds, ours, strict=True))
    return f"{prepare:.2f} | {infer:.2f} | {prepare + infer:.2f} | {ratio:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    model = options.model.resolve()
    packages = ("numpy", "pillow", "ai-edge-litert", "onnxruntime", "tensorflow", "keras",
                "opencv-python-headless", "openvino", "ncnn", "pnnx")  # fmt: skip
    print(describe(*packages) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        large = place / "large.jpg"
        frames = sorted(drawn_frames(place / "frames", options.images, large=large).iterdir())
        network = ncnn_network(model, place)
        everyone = [Peer(name) for name in PEERS]
        commands = {peer.name: peer.command(model, frames[0], network) for peer in everyone}
        for _ in range(options.starts):
            for peer in everyone:
                if not peer.missing:
                    start_cold(peer, commands[peer.name])
        measure(everyone, commands, frames, large, options.rounds)
    original = next(peer for peer in everyone if peer.name == ORIGINAL)
    shown = [peer for peer in everyone if peer is not original]
    print_webcam(shown, original)
    print_telephone(shown)


if __name__ == "__main__":
    main()
