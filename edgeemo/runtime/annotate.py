"""Copies of images with the predictions drawn into them. Pillow alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image, source_name
from edgeemo.runtime.prediction import NO_FACE
from edgeemo.utils.file_names import fit_name
from edgeemo.utils.files import replacing
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.imaging.decode import Source
    from edgeemo.runtime.prediction import Prediction

_COLOURS = ("#ffb000", "#648fff", "#dc267f", "#fe6100", "#785ef0", "#22bb88", "#dddddd")
"""Distinct with any kind of colour blindness, as far as seven colours can be."""
_QUALITY = 92
_LARGE_PIXELS = 1 << 22
"""Pixels above which a PNG is compressed fast: slowly, a photo takes seconds."""
_RUN_LENGTHS = 3
"""zlib's Z_RLE: for noise 30 % faster than level 1 alone, and a photo is 20 % smaller."""
_LOSSLESS = (".png", ".bmp", ".gif", ".webp")


def annotate(source: Source, predictions: Sequence[Prediction]) -> Image.Image:
    """Draw a bounding box and a label for every prediction, at full size and upright.

    Args:
        source: As in `edgeemo.imaging.preprocess.preprocess`.
        predictions: The predictions; without any, `NO_FACE` is written into the corner.

    Returns:
        A new image, mode "RGB".

    Raises:
        ImageError: If the image cannot be read or drawn into.
    """
    with open_image(source) as opened:
        decoded = opened.decode(grey=False)
        image = decoded if opened.is_encoded else decoded.copy()
    try:
        _draw_all(image, predictions)
    except Exception as error:  # one image never ends a run
        problem = f"its predictions cannot be drawn ({one_line(error)})"
        raise ImageError(f"{source_name(source)}: {problem}") from None
    return image


def _draw_all(image: Image.Image, predictions: Sequence[Prediction]) -> None:
    for prediction in predictions:
        draw_prediction(image, prediction)
    if not predictions:
        _write(image, (0, 0), NO_FACE, "#dddddd", size=_text_size(min(image.size)))


class Annotator:
    """A writer of annotated copies, each under its image's name.

    Args:
        folder: The folder to write to, which is made. Images of one name get a number, and a name
            that would become too long is cut.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, source: Source, predictions: Sequence[Prediction]) -> Path:
        """Write one copy, over an older one of its name.

        Args:
            source: The image.
            predictions: Its predictions.

        Returns:
            The file: a PNG where the image's name ends in that of a lossless format, else a JPEG.

        Raises:
            ImageError: If the image cannot be read.
            OSError: If the copy cannot be written.
        """
        image = annotate(source, predictions)
        path = self._folder / self._name(Path(source_name(source)))
        with replacing(path) as partial:
            if path.suffix == ".png":
                _save_png(image, partial)
            else:
                image.save(partial, "JPEG", quality=_QUALITY)
        return path

    def _name(self, path: Path) -> str:
        suffix = ".png" if path.suffix.lower() in _LOSSLESS else ".jpg"
        name, number = fit_name(path.stem, suffix, folder=self._folder), 2
        while name.lower() in self._taken:  # some file systems ignore the case
            name = fit_name(path.stem, f"-{number}{suffix}", folder=self._folder)
            number += 1
        self._taken.add(name.lower())
        return name


def _save_png(image: Image.Image, path: Path) -> None:
    if image.width * image.height > _LARGE_PIXELS:
        image.save(path, "PNG", compress_level=1, compress_type=_RUN_LENGTHS)
    else:
        image.save(path, "PNG", compress_level=6)


def draw_prediction(image: Image.Image, prediction: Prediction, *, text: str = "") -> None:
    """Draw a bounding box and a label into an image.

    Args:
        image: Mode "RGB"; it is changed.
        prediction: The prediction; without a face its box is the whole image.
        text: The label's text, of one line or more; by default that of `describe_prediction`.
    """
    colour = _COLOURS[list(prediction.scores).index(prediction.guess) % len(_COLOURS)]
    left, top, width, height = prediction.face.box if prediction.face else (0, 0, *image.size)
    stroke = max(2, round(min(image.size) / 200))
    ImageDraw.Draw(image).rectangle(
        (left, top, left + width - 1, top + height - 1), outline=colour, width=stroke
    )
    lines = (text or describe_prediction(prediction)).splitlines()
    size = _text_size(min(width, height)) // (1 if len(lines) == 1 else 2)
    _write(image, (max(0, left), max(0, top)), "\n".join(lines), colour, size=max(10, size))


def describe_prediction(prediction: Prediction) -> str:
    """Return the text of a label: "happy 0.82", "not sure: happy 0.51"."""
    label = prediction.label if prediction.is_sure else f"{prediction.label}: {prediction.guess}"
    return f"{label} {prediction.score:.2f}"


def _text_size(side: int) -> int:
    """Return a height of letters, in pixels, that is legible and does not hide the face."""
    return max(10, min(48, side // 8))


def _write(
    image: Image.Image, corner: tuple[int, int], text: str, colour: str, *, size: int
) -> None:
    """Write black letters on a plate, above the corner where there is room, else below it."""
    draw, font = ImageDraw.Draw(image), _load_font(size)
    width, height = (round(each) for each in draw.textbbox((0, 0), text, font=font)[2:])
    pad = max(2, size // 6)
    left = max(0, min(corner[0], image.width - width - 2 * pad))
    top = corner[1] - height - 2 * pad
    top = corner[1] if top < 0 else top
    draw.rectangle((left, top, left + width + 2 * pad, top + height + 2 * pad), fill=colour)
    draw.text((left + pad, top + pad), text, fill="black", font=font)


@cache
def _load_font(size: int) -> Any:
    return ImageFont.load_default(size)
