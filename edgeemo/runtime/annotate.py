"""Copies of pictures with what was answered drawn into them. Pillow alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from edgeemo.imaging.decode import damaged, describe, open_picture, upright
from edgeemo.utils.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.imaging.decode import Source
    from edgeemo.runtime.classifier import Prediction

_COLOURS = ("#ffb000", "#648fff", "#dc267f", "#fe6100", "#785ef0", "#22bb88", "#dddddd")
"""Told apart with any kind of colour blindness, as far as there are seven such colours."""
_QUALITY = 92
_LOSSLESS = (".png", ".bmp", ".gif", ".webp")


def annotated(source: Source, predictions: Sequence[Prediction]) -> Image.Image:
    """The picture, upright and of its full size, with a frame and a label for every answer.

    Args:
        source: As in `edgeemo.imaging.preprocess.preprocess`.
        predictions: What was answered; without any, "no face" is written into the corner.

    Returns:
        A new picture, mode "RGB".

    Raises:
        ImageError: If the picture cannot be read.
    """
    opened = open_picture(source)
    try:
        picture = upright(opened, grey=False).copy()
    except Exception as error:  # a decoder fed with broken bytes raises almost anything
        raise damaged(describe(source), error) from None
    finally:
        if opened is not source:
            opened.close()
    for found in predictions:
        _draw(picture, found)
    if not predictions:
        _write(picture, (0, 0), "no face", "#dddddd", size=_text_size(min(picture.size)))
    return picture


class Annotator:
    """Writes annotated copies into a folder, each under its picture's name.

    Args:
        folder: Where to; it is made. Pictures of one name get a number.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, source: Source, predictions: Sequence[Prediction]) -> Path:
        """Write one copy, over an older one of its name.

        Args:
            source: The picture.
            predictions: What was answered.

        Returns:
            The file: a PNG where the picture's name ends in that of a lossless format, else a JPEG.

        Raises:
            ImageError: If the picture cannot be read.
            OSError: If the copy cannot be written.
        """
        picture = annotated(source, predictions)
        path = self._folder / self._name(Path(describe(source)))
        with replacing(path) as partial:
            if path.suffix == ".png":
                picture.save(partial, "PNG")
            else:
                picture.save(partial, "JPEG", quality=_QUALITY)
        return path

    def _name(self, path: Path) -> str:
        suffix = ".png" if path.suffix.lower() in _LOSSLESS else ".jpg"
        name, number = f"{path.stem}{suffix}", 2
        while name in self._taken:
            name, number = f"{path.stem}-{number}{suffix}", number + 1
        self._taken.add(name)
        return name


def _draw(picture: Image.Image, found: Prediction) -> None:
    colour = _COLOURS[list(found.scores).index(found.guess) % len(_COLOURS)]
    left, top, width, height = found.face.box if found.face else (0, 0, *picture.size)
    stroke = max(2, round(min(picture.size) / 200))
    ImageDraw.Draw(picture).rectangle(
        (left, top, left + width - 1, top + height - 1), outline=colour, width=stroke
    )
    label = found.label if found.sure else f"{found.label}: {found.guess}"
    size = _text_size(min(width, height))
    _write(picture, (max(0, left), max(0, top)), f"{label} {found.score:.2f}", colour, size=size)


def _text_size(side: int) -> int:
    """Height of letters, in pixels, that can be read and leave the face to be seen."""
    return max(10, min(48, side // 8))


def _write(
    picture: Image.Image, corner: tuple[int, int], text: str, colour: str, *, size: int
) -> None:
    """Black letters on a plate, above the corner where there is room, else below it."""
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    width, height = (round(each) for each in draw.textbbox((0, 0), text, font=font)[2:])
    pad = max(2, size // 6)
    left = max(0, min(corner[0], picture.width - width - 2 * pad))
    top = corner[1] - height - 2 * pad
    top = corner[1] if top < 0 else top
    draw.rectangle((left, top, left + width + 2 * pad, top + height + 2 * pad), fill=colour)
    draw.text((left + pad, top + pad), text, fill="black", font=font)
