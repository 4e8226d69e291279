"""What schemathesis has to know of images: some that can be read, in each media type."""

from __future__ import annotations

from io import BytesIO

import schemathesis
from hypothesis import strategies
from PIL import Image
from schemathesis.transport.serialization import Binary


def encode(format: str, side: int) -> bytes:
    stream = BytesIO()
    Image.effect_noise((side, side), 60).save(stream, format)
    return stream.getvalue()


IMAGES = {format: [encode(format, side) for side in (1, 20, 64)] for format in ("JPEG", "PNG")}
EVERY = strategies.sampled_from([*IMAGES["JPEG"], *IMAGES["PNG"]])
schemathesis.openapi.format("binary", EVERY.map(Binary))
schemathesis.openapi.media_type("image/jpeg", strategies.sampled_from(IMAGES["JPEG"]))
schemathesis.openapi.media_type("image/png", strategies.sampled_from(IMAGES["PNG"]))
schemathesis.openapi.media_type("application/octet-stream", EVERY)
