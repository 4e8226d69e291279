"""Programs that read exported files, and the environments in which they run.

    python benchmarks/client_table.py web mediapipe ...

makes environments, for the tests that use them. It needs the standard library alone. Where one
cannot be made, NAME.failed beside it says why.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PROGRAMS = REPOSITORY / "examples" / "clients"
PAGE = Path(__file__).with_name("client_page.py")
RUNTIME = REPOSITORY / "examples" / "web" / "get_runtime.py"
AXE_SCRIPT = Path(__file__).with_name("get_axe.py")
PILLOW = "pillow==13.0.0"
TFLITE, ONNX = ".tflite", ".onnx"

ENVIRONMENTS = {
    "litert": ("ai-edge-litert==2.3.0", PILLOW),
    "tensorflow": ("tensorflow==2.21.0", PILLOW),
    "tflite-runtime": ("tflite-runtime==2.14.0", "numpy==1.26.4", PILLOW),
    "tflite-micro": ("tflite-micro==0.dev20261023182759", PILLOW),
    "onnxruntime": ("onnxruntime==1.32.0", PILLOW),
    "openvino": ("openvino==2026.4.1", PILLOW),
    "opencv-4.10": ("opencv-python-headless==4.10.0.84",),
    "opencv-4": ("opencv-python-headless==4.14.0.94",),
    "opencv-5": ("opencv-python-headless==5.0.0.93",),
    "mnn": ("MNN==3.6.1", PILLOW),
    "ncnn": ("ncnn==1.0.20261020", PILLOW),
    "mediapipe": ("mediapipe==1.2.3", PILLOW),
}
"""Name to what pip installs into it, the package that it is for first."""

WITHOUT_DEPENDENCIES = {"ncnn": "pnnx==20261020"}
"""pnnx requires PyTorch, which converting an .onnx file does not need."""

FOLDER = REPOSITORY / ".cache" / "clients"
"""The environments, by default."""

WEB = "web"
"""The environment of what runs in Chromium: files that `examples/web/get_runtime.py` fetches."""

AXE = "axe"
"""The environment of what looks for barriers in pages."""

_SCRIPTS = {WEB: (RUNTIME, "--mediapipe", "--runtime"), AXE: (AXE_SCRIPT,)}
"""Environments that are files which a script fetches, to the script and its words."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program that predicts images with an exported file.

    Attributes:
        name: Name in the table.
        environment: A key of `ENVIRONMENTS`, or `WEB`.
        program: Its file in `examples/clients`; for `WEB` the engine of `client_page.py`.
        formats: Suffixes of the files that it reads.
        takes_shape: Whether it has to be given height, width and channels.
        takes_nchw: Whether it reads files of `--layout nchw`.
    """

    name: str
    environment: str
    program: str
    formats: tuple[str, ...] = (TFLITE,)
    takes_shape: bool = False
    takes_nchw: bool = True

    def reads(self, file: Path) -> bool:
        """Return whether a file is of a format and a layout that it reads."""
        return file.suffix in self.formats and (self.takes_nchw or "nchw" not in file.name)


BOTH = (TFLITE, ONNX)
CLIENTS = (
    Client(name="LiteRT Interpreter", environment="litert", program="with_litert.py"),
    Client(name="LiteRT CompiledModel", environment="litert", program="with_compiled_model.py"),
    Client(name="tf.lite", environment="tensorflow", program="with_litert.py"),
    Client(name="tflite-runtime", environment="tflite-runtime", program="with_litert.py"),
    Client(name="tflite-micro", environment="tflite-micro", program="with_tflite_micro.py"),
    Client(
        name="ONNX Runtime", environment="onnxruntime", program="with_onnxruntime.py",
        formats=(ONNX,),
    ),
    Client(name="OpenVINO", environment="openvino", program="with_openvino.py", formats=BOTH),
    *(
        Client(
            name=f"OpenCV {version} {way}", environment=f"opencv-{version}", program=program,
            formats=BOTH, takes_shape=True, takes_nchw=way != "dnn",
        )
        for version in ("4.10", "4", "5")
        for way, program in (("dnn", "with_opencv.py"), ("blobFromImage", "with_opencv_blob.py"))
    ),
    Client(name="MNN", environment="mnn", program="with_mnn.py", formats=BOTH),
    Client(
        name="ncnn (pnnx)", environment="ncnn", program="with_ncnn.py", formats=(ONNX,),
        takes_shape=True, takes_nchw=False,
    ),
    Client(name="MediaPipe", environment="mediapipe", program="with_mediapipe.py"),
    Client(name="MediaPipe web", environment=WEB, program="mediapipe"),
    Client(name="LiteRT.js", environment=WEB, program="litert"),
    Client(name="onnxruntime-web", environment=WEB, program="onnxruntime", formats=(ONNX,)),
    Client(name="Frigate's way", environment="litert", program="as_frigate.py"),
)  # fmt: skip


class NotInstalled(Exception):  # noqa: N818 - it is no fault
    """An environment cannot be made; the text says why, in a few words."""


@cache
def make_environment(folder: Path, name: str) -> Path:
    """Make an environment where it is not there yet.

    Args:
        folder: The folder of all environments.
        name: Name of the environment.

    Returns:
        Its folder; for a virtual environment that of `bin/python`.

    Raises:
        NotInstalled: If it cannot be made.
    """
    place, done = folder / name, folder / f"{name}.done"
    failed = folder / f"{name}.failed"
    failed.unlink(missing_ok=True)
    script = _SCRIPTS[name][0].read_text(encoding="utf-8") if name in _SCRIPTS else ""
    lines = "\n".join(ENVIRONMENTS.get(name, (script,)))
    if not (done.is_file() and done.read_text(encoding="utf-8") == lines):
        print(f"making {place} ...", file=sys.stderr, flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _fill(place, name)
        except NotInstalled as error:
            failed.write_text(str(error), encoding="utf-8")
            raise
        done.write_text(lines, encoding="utf-8")
    return place


def _fill(place: Path, name: str) -> None:
    if name in _SCRIPTS:
        folder = place / "runtime" if name == WEB else place
        _run([sys.executable, *_SCRIPTS[name], folder])
        return
    _run([sys.executable, "-m", "venv", "--clear", place])
    pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
    _run([*pip, *ENVIRONMENTS[name]])
    if name in WITHOUT_DEPENDENCIES:
        _run([*pip, "--no-deps", WITHOUT_DEPENDENCIES[name]])


def _run(command: list[object]) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalled((lines or done.stderr.splitlines() or ["no reason given"])[-1])


def build_command(
    client: Client, environment: Path, model: Path, shape: tuple[int, ...]
) -> list[str]:
    """Return the command that predicts with a file, up to the images.

    Args:
        client: The client.
        environment: Its folder.
        model: The exported file.
        shape: Height, width and channels of the file's input.
    """
    if client.environment == WEB:
        words = [sys.executable, PAGE, environment, client.program, model, shape[2]]
    else:
        words = [environment / "bin" / "python", PROGRAMS / client.program, model]
        words += shape if client.takes_shape else ()
    return list(map(str, words))


def read_version(client: Client, environment: Path) -> str:
    """Return the packages of a client's environment, as installed."""
    if client.environment == WEB:
        return ""
    names = [each.partition("==")[0] for each in ENVIRONMENTS[client.environment]]
    script = (
        "import sys; from importlib.metadata import version\n"
        "print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]))"
    )
    python = environment / "bin" / "python"
    done = subprocess.run(
        [python, "-c", script, *names], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def main() -> None:
    for name in sys.argv[1:]:
        try:
            make_environment(FOLDER, name)
        except NotInstalled as error:
            print(f"{name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
