"""The options of ``edgeemo train`` about what is learnt besides the labels of single images."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

Ema: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="M",
        help="Momentum of the exponential moving average of the weights, which becomes the model; "
        "0 to turn it off.",
        show_default="0",
    ),
]
Mixup: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="ALPHA",
        help="Lay training images over each other, as in 0.2; 1 draws the shares evenly.",
        show_default="0",
    ),
]
Teacher: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL,...",
        help="Learn the answers of these models, too: model folders or .keras files.",
        show_default="none",
    ),
]
TeacherWeight: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="The teachers' share of the loss; the labels have the rest.",
        show_default="0.7",
    ),
]
TeacherTemperature: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="T",
        help="Divide the logits of both by this before their answers are compared.",
        show_default="1",
    ),
]
