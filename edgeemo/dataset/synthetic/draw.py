"""Practice faces: happy and sad, drawn by edgeemo, so that everything runs without a download.

Like photographs they vary in pose, light, background, sharpness and occlusion, so that a small
network has something to learn; results on them do not apply to real faces.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edgeemo.dataset.synthetic.cartoon import Mood, draw_face, randomize_face
from edgeemo.utils.files import new_folder
from edgeemo.utils.progress import Silent
from edgeemo.utils.strict_json import parse_object, require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

PRACTICE_MARKER = ".edgeemo-practice.json"
"""File that marks a complete folder of practice faces, with the parameters of the drawing."""

STYLE_VERSION = 1
"""Version of the drawing; practice faces of another version are drawn again."""

MOODS: tuple[Mood, ...] = get_args(Mood)
_OVERSAMPLE = 2  # drawn larger and reduced: Pillow's drawing has no anti-aliasing


def draw_faces(
    folder: StrPath,
    *,
    count: int = 400,
    size: int = 256,
    seed: int = 0,
    replace: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Draw a folder of practice faces, which is complete or absent.

    Args:
        folder: Folder to write, with ``happy/`` and ``sad/`` inside.
        count: Number of images, half of them happy.
        size: Side of an image in pixels.
        seed: The same seed gives the same images.
        replace: Whether an existing folder of that name gives way.
        progress: Receives the progress.

    Returns:
        `folder`.

    Raises:
        FileExistsError: If the folder exists and `replace` is false.
    """
    folder = Path(folder)
    progress = progress or Silent()
    progress.stage("Drawing practice faces", total=count)
    with new_folder(folder, replace=replace) as partial:
        for mood in MOODS:
            (partial / mood).mkdir()
        for number in range(count):
            mood = MOODS[number % len(MOODS)]
            _write_face(partial / mood, number=number, mood=mood, size=size, seed=seed)
            progress.advance()
        parameters = {"style": STYLE_VERSION, "count": count, "size": size, "seed": seed}
        (partial / PRACTICE_MARKER).write_text(json.dumps(parameters), encoding="utf-8")
    return folder


def read_style_version(folder: Path) -> int | None:
    """Return the drawing's version in a folder of practice faces; None for any other folder."""
    try:
        recorded = parse_object((folder / PRACTICE_MARKER).read_bytes())
        return int(require(recorded["style"], int, "style"))
    except (OSError, ValueError, KeyError):
        return None


def draw_image(rng: np.random.Generator, mood: Mood, *, size: int) -> Image.Image:
    """Draw one practice image: a face before a background, as in a photograph.

    Args:
        rng: Source of every choice except the mood.
        mood: Expression of the face.
        size: Side of the image in pixels.

    Returns:
        An RGB image of (size, size).
    """
    scene = _draw_background(rng, size)
    face = _pose(rng, draw_face(randomize_face(rng, mood), size * _OVERSAMPLE), size)
    scene.paste(face, mask=face)
    if rng.random() < 0.15:
        _draw_obstruction(rng, scene)
    return _photograph(rng, scene)


def _write_face(folder: Path, *, number: int, mood: Mood, size: int, seed: int) -> None:
    rng = np.random.default_rng([seed, number])
    image = draw_image(rng, mood, size=size)
    if rng.random() < 0.8:
        quality = int(rng.integers(60, 96))
        (folder / f"{mood}-{number:04}.jpg").write_bytes(
            encode_image(image, "JPEG", quality=quality)
        )
    else:
        (folder / f"{mood}-{number:04}.png").write_bytes(encode_image(image, "PNG"))


def encode_image(image: Image.Image, format: str, **options: object) -> bytes:
    """Return the bytes of an image file.

    Args:
        image: The image.
        format: Format as Pillow names it.
        options: Options of that format, as in `PIL.Image.Image.save`.
    """
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _draw_background(rng: np.random.Generator, size: int) -> Image.Image:
    """Draw a gradient of four colours with a few shapes."""
    corners = rng.integers(20, 236, (2, 2, 3)).astype(np.uint8)
    ground = Image.fromarray(corners).resize((size, size), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(ground)
    for _ in range(int(rng.integers(0, 9))):
        x, y, half = (int(value) for value in rng.integers(0, size, 3))
        red, green, blue = (int(value) for value in rng.integers(20, 236, 3))
        box = (x - half // 3, y - half // 4, x + half // 3, y + half // 4)
        (pen.ellipse if rng.random() < 0.5 else pen.rectangle)(box, fill=(red, green, blue))
    return ground.filter(ImageFilter.BoxBlur(size / 256 * float(rng.uniform(0.5, 4))))


def _pose(rng: np.random.Generator, face: Image.Image, size: int) -> Image.Image:
    """Return an image with the face at a random place, scale, angle and side."""
    if rng.random() < 0.5:
        face = face.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    step = face.width / size / rng.uniform(1.35, 1.8)
    angle = np.deg2rad(rng.normal(0, 6))
    cos, sin = float(np.cos(angle) * step), float(np.sin(angle) * step)
    x, y = (float(size * (0.5 + shift)) for shift in rng.uniform(-0.05, 0.05, 2))
    middle = face.width / 2
    from_x, from_y = middle - cos * x - sin * y, middle + sin * x - cos * y
    return face.transform(
        (size, size),
        Image.Transform.AFFINE,
        (cos, sin, from_x, -sin, cos, from_y),
        Image.Resampling.BILINEAR,
    )


def _draw_obstruction(rng: np.random.Generator, scene: Image.Image) -> None:
    """Draw a bar at a random angle over the face, like a hand or a branch."""
    size = scene.width
    ends = rng.uniform(-0.1, 1.1, 4) * size
    red, green, blue = (int(value) for value in rng.integers(20, 236, 3))
    width = int(size * rng.uniform(0.03, 0.1))
    ImageDraw.Draw(scene).line([float(end) for end in ends], fill=(red, green, blue), width=width)


def _photograph(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Add light from a side, exposure, contrast, noise, blur and a loss of colour."""
    pixels = np.asarray(image, dtype=np.float32) / 255
    contrast, exposure = (float(value) for value in rng.uniform((0.7, -0.1), (1.1, 0.1)))
    pixels = (pixels - 0.5) * contrast + (0.5 + exposure)
    pixels *= _make_light(rng, image.width)[..., None]
    grain = np.float32(rng.uniform(0, 0.05))
    pixels += grain * rng.standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
    seen = Image.fromarray((pixels.clip(0, 1) * 255).round().astype(np.uint8))
    if rng.random() < 0.3:
        seen = seen.filter(ImageFilter.GaussianBlur(image.width / 256 * float(rng.uniform(0.5, 2))))
    if rng.random() < 0.12:
        seen = seen.convert("L").convert("RGB")
    return seen


def _make_light(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return a factor per pixel, shape (size, size), that decreases towards one side."""
    slope_x, slope_y = rng.uniform(-0.25, 0.25, 2)
    along = np.linspace(-1, 1, size, dtype=np.float32)
    return np.asarray(1 + slope_x * along[None, :] + slope_y * along[:, None], dtype=np.float32)
