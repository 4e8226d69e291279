"""The options of ``edgeemo train`` that say how.

Each is None where nobody named it, so that a recipe or a config file may; what then counts stands
in `edgeemo.train.TrainOptions`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from edgeemo.cli.options.common import names, number


def _option(help: str, *flags: str, metavar: str | None = None, default: str, **more: Any) -> Any:
    return typer.Option(*flags, metavar=metavar, help=help, show_default=default, **more)


Recipe: TypeAlias = Annotated[
    str | None,
    _option(
        "One of the published projects, as 'edgeemo recipes' lists them; other options change it.",
        metavar="NAME",
        default="none",
    ),
]
Config: TypeAlias = Annotated[
    Path | None,
    _option(
        "A TOML file with the same names (_ for -); the command line counts for more.",
        metavar="FILE",
        default="none",
    ),
]
Arch: TypeAlias = Annotated[
    str | None,
    _option(
        "cnn-16-32-16, cnn-16-32-16-same, cnn-16-32-64, cnn-bn-64, or a backbone: "
        "mobilenet-v3-small, mobilenet-v2, efficientnet-b0, resnet50, vgg16.",
        metavar="NAME",
        default="cnn-16-32-16",
    ),
]
Size: TypeAlias = Annotated[
    int | None,
    _option(
        "Side of the network's input in pixels.",
        metavar="N",
        default="the architecture's own",
        min=1,
    ),
]
Channels: TypeAlias = Annotated[
    int | None, _option("3 for RGB, 1 for grey.", metavar="1|3", default="3")
]
Epochs: TypeAlias = Annotated[
    int | None, _option("Passes over the training images.", metavar="N", default="20", min=1)
]
BatchSize: TypeAlias = Annotated[
    int | None, _option("Images per step.", metavar="N", default="32", min=1)
]
Seed: TypeAlias = Annotated[
    int | None,
    _option(
        "For the split, the weights, the order and the augmentation.",
        metavar="N",
        default="0",
        min=0,
    ),
]
Labels: TypeAlias = Annotated[
    str | None,
    _option(
        "The classes in the order of the outputs, as in sad,happy.",
        metavar="A,B",
        default="by name",
    ),
]
Accept: TypeAlias = Annotated[
    str | None,
    _option("Formats to take besides JPEG, PNG and BMP: webp, gif.", metavar="A,B", default="none"),
]
Threshold: TypeAlias = Annotated[
    float | None,
    _option(
        "With two classes, the probability from which on the second is answered.",
        metavar="P",
        default="0.5",
    ),
]
Ratios: TypeAlias = Annotated[
    str | None,
    _option(
        "Shares of train, validation and test. With a validation share of 0 the test images "
        "choose the epoch, too.",
        metavar="A,B,C",
        default="0.7,0.2,0.1",
    ),
]
Split: TypeAlias = Annotated[
    str | None,
    _option(
        "grouped keeps duplicates and near-duplicates from straddling the splits; random is the "
        "tutorials' way, duplicates and all.",
        metavar="NAME",
        default="grouped",
    ),
]
Augment: TypeAlias = Annotated[
    str | None,
    _option(
        "Change the training images at random: none, light, strong or camera.",
        metavar="NAME",
        default="none",
    ),
]
Loss: TypeAlias = Annotated[
    str | None,
    _option("bce (cross-entropy) or focal.", metavar="NAME", default="bce"),
]
ClassWeights: TypeAlias = Annotated[
    bool | None,
    _option(
        "Let a rare class count as much as a common one.",
        "--class-weights/--no-class-weights",
        default="no",
    ),
]
Optimizer: TypeAlias = Annotated[
    str | None, _option("adam, adamw, sgd or rmsprop.", metavar="NAME", default="adam")
]
Lr: TypeAlias = Annotated[
    float | None,
    _option("Learning rate at the start.", metavar="X", default="the optimiser's usual"),
]
Schedule: TypeAlias = Annotated[
    str | None,
    _option(
        "How the learning rate falls: constant, cosine or step.",
        metavar="NAME",
        default="constant",
    ),
]
EarlyStopping: TypeAlias = Annotated[
    int | None,
    _option(
        "Stop after so many epochs without a better one; 0 for never.",
        metavar="N",
        default="0",
        min=0,
    ),
]
LabelSmoothing: TypeAlias = Annotated[
    float | None,
    _option("Take so much of a label's certainty from it.", metavar="X", default="0"),
]
Metrics: TypeAlias = Annotated[
    str | None,
    _option(
        "Keep these of each epoch, too: precision, recall, binary_accuracy, auc.",
        metavar="A,B",
        default="none",
    ),
]
Tensorboard: TypeAlias = Annotated[
    Path | None,
    _option("Write a log for TensorBoard there.", metavar="DIR", default="none"),
]
Weights: TypeAlias = Annotated[
    str | None,
    _option(
        "A backbone's first weights: none, imagenet, or a file.",
        metavar="NAME|FILE",
        default="none",
    ),
]
FrozenEpochs: TypeAlias = Annotated[
    int | None,
    _option(
        "Epochs at the start in which only a backbone's new head learns.",
        metavar="N",
        default="0",
        min=0,
    ),
]
TargetAccuracy: TypeAlias = Annotated[
    float | None,
    _option(
        "Answer 'not sure' rather than be wrong more often than this allows, as in 0.95.",
        metavar="SHARE",
        default="always answer",
    ),
]
SaveKeras: TypeAlias = Annotated[
    str | None,
    _option(
        "A second name for model.keras in the model folder.", metavar="NAME.keras", default="none"
    ),
]
Faces: TypeAlias = Annotated[
    bool | None,
    _option(
        "Find the largest face of each image and train on that; images without one are set aside.",
        "--faces/--no-faces",
        default="as the folder of images says",
        rich_help_panel="Faces",
    ),
]
Cropped: TypeAlias = Annotated[
    bool | None,
    _option(
        "With --faces: the images are crops of faces already; only the model looks for faces.",
        "--cropped/--no-cropped",
        default="no",
        rich_help_panel="Faces",
    ),
]
Workers: TypeAlias = Annotated[
    int | None,
    _option(
        "Processes that train together, on JAX (edgeemo[distributed]).",
        metavar="N",
        default="1",
        min=1,
    ),
]


def said(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were named, as `edgeemo.train.TrainOptions` takes them.

    Raises:
        typer.BadParameter: If a list of numbers holds something else, or channels are not 1 or 3.
    """
    values = {name: value for name, value in options.items() if value is not None}
    if values.get("channels", 3) not in (1, 3):
        raise typer.BadParameter(
            f"{values['channels']} is neither 1 (grey) nor 3 (RGB)", param_hint="--channels"
        )
    for name in ("labels", "accept", "metrics"):
        if name in values:
            values[name] = names(values[name])
    if "teacher" in values:
        values["teacher"] = tuple(map(Path, names(values["teacher"])))
    if "ratios" in values:
        values["ratios"] = tuple(number(part) for part in names(values["ratios"]))
    return values
