"""BlazeFace: up to three looks at an image, until one detects a face.

The first look is cheap and made for faces near the camera. A face of less than about a sixth of
the image's longer side is left to the second, at a higher resolution and four times the cost, and
one that fills the image to the third, which puts a border around it; see docs/faces.md for what
each look costs and detects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.imaging.faces.anchors import FULL_RANGE, SHORT_RANGE, AnchorNetwork
from edgeemo.imaging.faces.face import Face, sort_by_size
from edgeemo.imaging.faces.letterbox import Letterbox

if TYPE_CHECKING:
    from PIL import Image

_ODDS = 1.55  # of a face in the first network, over those of the same face in the second
_MIN_SCORE_OF_FULL_RANGE = 0.65  # below it, false positives rise faster than faces
_BORDER = 0.25  # on each side, as a share of the longer side


class Look:
    """One look at an image: a network, a minimum score, and a border around the image.

    Args:
        network: The network.
        min_score: Minimum score of a face, 0 to 1.
        border: Width of the border on each side, as a share of the image's longer side.
    """

    def __init__(self, network: AnchorNetwork, *, min_score: float, border: float = 0.0) -> None:
        self._network, self._min_score, self._border = network, min_score, border

    def detect(self, image: Letterbox) -> tuple[Face, ...]:
        """Return the faces that this look detects, the largest first, in the image's pixels."""
        side = self._network.file.side
        square = (
            image.shrink_with_border(side, self._border) if self._border else image.shrink(side)
        )
        boxes = self._network.find(square.pixels, min_score=self._min_score)
        boxes[:, :2] -= square.left, square.top
        boxes *= square.scale
        return sort_by_size([_to_face(*box) for box in boxes.tolist()])


class BlazeFace:
    """An `edgeemo.imaging.faces.face.FaceDetector`, which serves all images and threads.

    Attributes:
        looks: The looks in the order in which `detect` takes them, each complete in itself: a
            video may spend the later ones on some of its images only.
        part_look: A look at a part of an image, which detects there what the second look detects
            in the whole, for a quarter of the cost: for a part half as large as the image.

    Args:
        min_score: Minimum score of a face, 0 to 1, as the first network scores it; the second
            scores the same face lower, and has to reach 0.65 at least.

    Raises:
        EngineError: If LiteRT cannot be loaded.
        MissingExtraError: If LiteRT is not installed.
    """

    def __init__(self, *, min_score: float) -> None:
        near, far = AnchorNetwork(SHORT_RANGE), AnchorNetwork(FULL_RANGE)
        near.load()
        self.looks = (
            Look(near, min_score=min_score),
            Look(far, min_score=_convert_score(min_score)),
            Look(near, min_score=min_score, border=_BORDER),
        )
        part = AnchorNetwork(FULL_RANGE.resize(FULL_RANGE.side // 2))
        self.part_look = Look(part, min_score=_convert_score(min_score))

    def detect(self, image: Image.Image) -> tuple[Face, ...]:
        """See `edgeemo.imaging.faces.face.FaceDetector.detect`."""
        letterbox = Letterbox(image)
        return next((faces for look in self.looks if (faces := look.detect(letterbox))), ())


def _convert_score(score: float) -> float:
    """Return the minimum score of the second network where `score` is that of the first."""
    return max(_MIN_SCORE_OF_FULL_RANGE, score / (score + (1 - score) * _ODDS))


def _to_face(x: float, y: float, side: float) -> Face:
    return Face(left=round(x - side / 2), top=round(y - side / 2), side=max(1, round(side)))
