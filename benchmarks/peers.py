"""Compare edgeemo's runtime with other ways to predict the same images with the same network.

    python benchmarks/peers.py models/NAME [--images 100] [--rounds 9] [--starts 5]

Needs a model folder with model.keras, both .tflite and both .onnx files, and

    pip install --group bench && pip install --no-deps pnnx

(pnnx requires PyTorch, which converting an .onnx file does not need). Every peer is a process of
its own (`benchmarks/peer.py`) with one thread. Cold: whole processes up to the first prediction, in
turn; the wall clock's milliseconds and the processor's. Warm: all processes live on and predict
blocks of the same images in turn, so that disturbances strike all; processor time, and ratios to
edgeemo's int8.tflite within a round. The images are drawn: 640x480 frames and one of 12 megapixels.
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

from frames import draw_frames
from machine import describe, wait_for
from packaging.requirements import Requirement
from peer import MISSING, PEERS

from edgeemo.utils.text import markdown_head, markdown_row

REFERENCE = "reference model"
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
"""Beginning of a peer's name to the packages that it needs."""


@dataclass
class Peer:
    """The figures of one way."""

    name: str
    cold_ms: list[float] = field(default_factory=list)
    cold_processor_ms: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    webcam: list[tuple[float, float]] = field(default_factory=list)
    telephone: list[tuple[float, float]] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    missing: str = ""

    def command(self, folder: Path, image: Path, network: Path) -> list[str]:
        """Return the command of its process."""
        return [sys.executable, ENGINE, self.name, folder, image, network]


def environment() -> dict[str, str]:
    """Return variables for one thread, and no log."""
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
    """Run one whole process: time to its prediction, and peak memory."""
    begin = time.perf_counter()
    process = start(command)
    output = process.stdout.readline()
    ms = (time.perf_counter() - begin) * 1000
    process.stdin.close()
    process.stdout.close()
    usage = wait_for(process)
    if process.returncode or not output:
        peer.missing = "not installed" if process.returncode == MISSING else "failed"
        return
    peer.cold_ms.append(ms)
    peer.cold_processor_ms.append(usage.cpu_ms)
    peer.peak_mb.append(usage.peak_mb)


def predict(process: subprocess.Popen[str], images: list[Path]) -> list[tuple[float, float, float]]:
    """Predict images with a running peer."""
    print(json.dumps(list(map(str, images))), file=process.stdin, flush=True)
    return [tuple(each) for each in json.loads(process.stdout.readline())]


def measure_block(process: subprocess.Popen[str], images: list[Path]) -> tuple[float, float]:
    """Return a block's medians: processor ms of decoding and resizing, and of inference."""
    found = predict(process, images)
    return statistics.median(each[1] for each in found), statistics.median(
        each[2] for each in found
    )


def measure(
    peers: list[Peer], commands: dict[str, list[str]], frames: list[Path], large: Path, rounds: int
) -> None:
    """Measure warm predictions of all peers in turn, round after round."""
    processes = {peer.name: start(commands[peer.name]) for peer in peers if not peer.missing}
    for process in processes.values():
        process.stdout.readline()
    there = [peer for peer in peers if peer.name in processes]
    for peer in there:
        peer.probabilities = [found[0] for found in predict(processes[peer.name], frames)]
        predict(processes[peer.name], [large])
    for number in range(rounds):
        begin = number * BLOCK % max(1, len(frames) - BLOCK)
        for peer in there:
            peer.webcam.append(measure_block(processes[peer.name], frames[begin : begin + BLOCK]))
        for peer in there:
            peer.telephone.append(measure_block(processes[peer.name], [large] * LARGE_BLOCK))
    for process in processes.values():
        process.stdin.close()
        process.wait()
        process.stdout.close()


def convert_to_ncnn(model: Path, folder: Path) -> Path:
    """Convert float32.onnx for ncnn; the converter is a program inside the package pnnx.

    Returns:
        The path of the two files, without their suffixes; they are missing without pnnx.
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


def measure_installed_mb(name: str) -> float:
    """Return the megabytes of the packages that a peer needs, with their dependencies."""
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
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return total / 1e6


def print_webcam(peers: list[Peer], reference: Peer) -> None:
    print("\n".join(markdown_head(WEBCAM_COLUMNS, words=len(WEBCAM_COLUMNS))))
    for peer in peers:
        if peer.missing:
            blank = " |" * (len(WEBCAM_COLUMNS) - 2)
            print(f"| {peer.name} | {peer.missing}: {PIP_LINE} |{blank}")
            continue
        pairs = list(zip(peer.probabilities, reference.probabilities, strict=True))
        same = sum((p >= DECIDE) == (q >= DECIDE) for p, q in pairs)
        cold = (peer.cold_ms, peer.cold_processor_ms, peer.peak_mb)
        cells = [
            peer.name,
            *(f"{statistics.median(values):.0f}" for values in cold),
            format_warm(peer.webcam, peers[0].webcam),
            f"{measure_installed_mb(peer.name):.0f}",
            f"{same}/{len(pairs)}",
            f"{max(abs(p - q) for p, q in pairs):.2g}",
        ]
        print(markdown_row(cells))


def print_telephone(peers: list[Peer]) -> None:
    print("\n" + "\n".join(markdown_head(TELEPHONE_COLUMNS, words=len(TELEPHONE_COLUMNS))))
    for peer in peers:
        if not peer.missing:
            print(f"| {peer.name} | {format_warm(peer.telephone, peers[0].telephone)} |")


def format_warm(rounds: list[tuple[float, float]], ours: list[tuple[float, float]]) -> str:
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
        frames = sorted(draw_frames(place / "frames", options.images, large=large).iterdir())
        network = convert_to_ncnn(model, place)
        everyone = [Peer(name) for name in PEERS]
        commands = {peer.name: peer.command(model, frames[0], network) for peer in everyone}
        for _ in range(options.starts):
            for peer in everyone:
                if not peer.missing:
                    start_cold(peer, commands[peer.name])
        measure(everyone, commands, frames, large, options.rounds)
    reference = next(peer for peer in everyone if peer.name == REFERENCE)
    shown = [peer for peer in everyone if peer is not reference]
    print_webcam(shown, reference)
    print_telephone(shown)


if __name__ == "__main__":
    main()
