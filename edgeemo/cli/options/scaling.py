"""Options about the input and the labels of a model that edgeemo did not train, declared once."""

from __future__ import annotations

from edgeemo.utils.options import Option

SCALE = Option(
    "Factor of a pixel, 0 to 255, in the training of the model, as in 1/255: one, or one per "
    "channel in the order of the model's channels.",
    metavar="N[,N,N]",
)
OFFSET = Option(
    "Number that was added after that, as in -1: one, or one per channel.", metavar="N[,N,N]"
)
BGR = Option("The model's channels are blue, green and red, as OpenCV reads them.")
PREPROCESS = Option("Usual scaling, in place of --scale, --offset and --bgr.")
THRESHOLD = Option(
    "With two labels, minimum probability to predict the second.", metavar="P", above=0, below=1
)
BACKGROUND = Option("Label of images that belong to none of the others.", metavar="LABEL")
