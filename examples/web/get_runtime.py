"""Fetch what the page needs and the repository does not hold: two engines, and models.

    python examples/web/get_runtime.py [MODEL_FOLDER ...]

It writes `runtime/` (LiteRT.js and onnxruntime-web, 33 MB, from npm's registry by `npm pack`, each
package checked against its SHA-512) and `models/` (the .tflite and .onnx files of the folders; the
shipped models by default) beside the page. From then on the page works offline:

    python -m http.server --bind 127.0.0.1 --directory examples/web
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHIPPED = [HERE.parents[1] / "models" / name for name in ("happy-sad", "emotions")]
FILES = ("int8.tflite", "float32.tflite", "int8.onnx", "float32.onnx")
PACKAGES = {
    "onnxruntime-web@1.30.0": (
        "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
        {
            "dist/ort.wasm.min.mjs": "onnxruntime-web/ort.wasm.min.mjs",
            "dist/ort-wasm-simd-threaded.mjs": "onnxruntime-web/ort-wasm-simd-threaded.mjs",
            "dist/ort-wasm-simd-threaded.wasm": "onnxruntime-web/ort-wasm-simd-threaded.wasm",
        },
    ),
    "@litertjs/core@2.5.3": (
        "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
        {
            "dist/index.js": "litert/index.js",
            "wasm/litert_wasm_internal.js": "litert/wasm/litert_wasm_internal.js",
            "wasm/litert_wasm_internal.wasm": "litert/wasm/litert_wasm_internal.wasm",
            "wasm/litert_wasm_compat_internal.js": "litert/wasm/litert_wasm_compat_internal.js",
            "wasm/litert_wasm_compat_internal.wasm": "litert/wasm/litert_wasm_compat_internal.wasm",
        },
    ),
    "@litertjs/wasm-utils@2.5.3": (
        "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
        {"dist/index.js": "litert/wasm-utils.js"},
    ),
}
"""Package to the SHA-512 of its archive, and its files to their places under `runtime/`."""
MEDIAPIPE = {
    "@mediapipe/tasks-vision@1.1.0": (
        "ZJqh0wMKOINorfSffvDAxzyO1//c+FiG3IkzOdNDnLqvBB3DbMfj0bB/tys2SNf9S914sgoIbIpF4HTOi336cg==",
        {
            name: f"mediapipe/{name}"
            for name in (
                "vision_bundle.mjs",
                "wasm/vision_wasm_internal.js",
                "wasm/vision_wasm_internal.wasm",
                "wasm/vision_wasm_module_internal.js",
                "wasm/vision_wasm_module_internal.wasm",
            )
        },
    )
}
"""The same for a third engine, which the page does not use and benchmarks/clients.py does."""


def fetch(package: str, checksum: str, files: dict[str, str], runtime: Path) -> None:
    """Write the files of a package of npm's registry.

    Args:
        package: Name and version, as NAME@VERSION.
        checksum: SHA-512 of its archive, in base64.
        files: Paths in the package to paths under `runtime`.
        runtime: The folder.

    Raises:
        SystemExit: If the package cannot be fetched or has another checksum.
    """
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", folder, package],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        archives = list(Path(folder).iterdir())
        if packed.returncode or len(archives) != 1:
            raise SystemExit(f"npm pack {package} failed: {packed.stderr.strip()[-300:]}")
        found = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
        if found != checksum:
            raise SystemExit(f"{package}: its SHA-512 is {found}, not {checksum}")
        with tarfile.open(archives[0]) as archive:
            for name, place in files.items():
                write(runtime / place, archive.extractfile(f"package/{name}").read())


def write(path: Path, content: bytes) -> None:
    """Write a file, and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def fetch_runtime(runtime: Path, packages: dict[str, tuple[str, dict[str, str]]]) -> None:
    """Write the engines."""
    if not shutil.which("npm"):
        raise SystemExit("npm is not installed; it comes with Node.js: sudo apt install npm")
    for package, (checksum, files) in packages.items():
        fetch(package, checksum, files, runtime)
    index = runtime / "litert" / "index.js"  # a browser knows files, not packages
    text = index.read_text(encoding="utf-8")
    index.write_text(text.replace('"@litertjs/wasm-utils"', '"./wasm-utils.js"'), encoding="utf-8")


def copy_models(folders: list[Path], models: Path) -> list[str]:
    """Copy the exported files of model folders, and list them in `models.json` for the page."""
    names = []
    for folder in folders:
        for file in FILES:
            if (folder / file).is_file():
                names.append(f"{folder.name}/{file}")
                write(models / names[-1], (folder / file).read_bytes())
    write(models / "models.json", json.dumps(names, indent=1).encode())
    return names


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=SHIPPED, metavar="MODEL_FOLDER")
    parser.add_argument(
        "--runtime", type=Path, metavar="DIR", help="fetch the engines only, to DIR"
    )
    parser.add_argument("--mediapipe", action="store_true", help="fetch MediaPipe, too")
    options = parser.parse_args()
    packages = PACKAGES | (MEDIAPIPE if options.mediapipe else {})
    runtime = options.runtime or HERE / "runtime"
    fetch_runtime(runtime, packages)
    print(f"{runtime}: {', '.join(packages)}")
    if options.runtime is None:
        names = copy_models(options.folders, HERE / "models")
        if not names:
            raise SystemExit(f"no exported file in {', '.join(map(str, options.folders))}")
        print(f"{HERE / 'models'}: {', '.join(names)}")
        print(f"\npython -m http.server --bind 127.0.0.1 --directory {HERE}")


if __name__ == "__main__":
    main()
