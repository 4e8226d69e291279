"""Draw camera frames for the benchmarks: JPEG files like those of a webcam or a telephone.

    python benchmarks/frames.py FOLDER COUNT [--size 640x480] [--large FILE.jpg]

The benchmarks draw them in a process of its own: Linux reports a process's peak memory as at least
that of its parent process.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from pathlib import Path

WEBCAM = (640, 480)
TELEPHONE = (4000, 3000)
"""12 megapixels."""

_FACE = 256
_GRAIN = 6.0  # standard deviation of a sensor's noise, of 255
_QUALITY = 85


def draw_frames(
    folder: Path, count: int, *, size: tuple[int, int] = WEBCAM, large: Path | None = None
) -> Path:
    """Draw `count` frames and perhaps a large one, in another process.

    Returns:
        `folder`.
    """
    text = "x".join(map(str, size))
    words = [folder, str(count), "--size", text, *(["--large", large] if large else [])]
    subprocess.run([sys.executable, __file__, *words], check=True)
    return folder


def draw_frame(number: int, size: tuple[int, int] = WEBCAM) -> bytes:
    """Draw one frame: a practice face as high as the image, on a plain wall, with a sensor's grain.

    Args:
        number: The same number gives the same frame; even ones are happy.
        size: Width and height in pixels.

    Returns:
        The bytes of a JPEG file.
    """
    import numpy as np
    from PIL import Image

    from edgeemo.dataset.synthetic import MOODS, draw_image

    rng = np.random.default_rng(number)
    width, height = size
    face = draw_image(rng, MOODS[number % 2], size=_FACE)
    wall = tuple(int(level) for level in rng.integers(40, 216, 3))
    frame = Image.new("RGB", size, wall)
    frame.paste(face.resize((height, height), Image.Resampling.BICUBIC), ((width - height) // 2, 0))
    grain = rng.normal(0, _GRAIN, (height, width, 1)).astype(np.float32)
    seen = (np.asarray(frame) + grain).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(seen).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--size", default="x".join(map(str, WEBCAM)))
    parser.add_argument("--large", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    width, height = map(int, options.size.split("x"))
    for number in range(options.count):
        (options.folder / f"{number:05}.jpg").write_bytes(draw_frame(number, (width, height)))
    if options.large:
        options.large.write_bytes(draw_frame(0, TELEPHONE))


if __name__ == "__main__":
    main()
