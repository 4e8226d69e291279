from __future__ import annotations

import numpy as np
import pytest

from edgeemo.model.keras import import_keras
from edgeemo.train.data.pipeline import TrainingData
from edgeemo.train.loop.ema import ExponentialMovingAverage
from edgeemo.train.loop.fit import fit
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.options import TrainOptions

pytestmark = pytest.mark.tensorflow


def network():
    return build("cnn-bn-64", input_shape=(32, 32, 1), classes=2)


def test_every_weight_follows_the_formula_from_its_first_value_on():
    model = network()
    first = model.get_weights()
    ema = ExponentialMovingAverage(model, 0.3)
    expected = [each.astype(float) for each in first]
    for step in range(8):
        now = [each + step + 1 for each in first]
        model.set_weights(now)
        ema.update()
        momentum = min(0.3, (1 + step) / (10 + step))  # 0.1 to 0.29, then 0.3
        expected = [
            momentum * mean + (1 - momentum) * new for mean, new in zip(expected, now, strict=True)
        ]
    names = [weight.path for weight in model.weights]
    assert any("moving_variance" in name for name in names)
    for mean, want, name in zip(ema.get_weights(), expected, names, strict=True):
        np.testing.assert_allclose(mean, want, rtol=1e-5, atol=1e-5, err_msg=name)


def test_validation_sees_the_average_and_training_goes_on_with_the_weights_to_the_bit():
    keras = import_keras()
    model = network()
    ema = ExponentialMovingAverage(model, 0.9)
    drawn = np.random.default_rng(0)
    model.set_weights([drawn.random(each.shape, np.float32) for each in model.get_weights()])
    ema.update()
    weights, means = model.get_weights(), ema.get_weights()
    assert not np.array_equal(weights[0], means[0])
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_test_batch_end=lambda batch, logs: seen.append(model.get_weights())
    )
    model.compile(loss="binary_crossentropy")
    images, truth = np.zeros((4, 32, 32, 1), np.float32), np.zeros((4, 1), np.float32)
    model.evaluate(images, truth, callbacks=[ema.make_callback(keras), watch], verbose=0)
    for during, mean in zip(seen[0], means, strict=True):
        assert during.tobytes() == mean.tobytes()
    for after, before in zip(
        [*model.get_weights(), *ema.get_weights()], [*weights, *means], strict=True
    ):
        assert after.tobytes() == before.tobytes()


def test_the_model_is_the_average_of_its_best_epoch_and_the_steps_are_as_ever(noise, spec32):
    train, validation = noise(40, 1), noise(16, 2)
    common = {"epochs": 3, "seed": 3, "batch_size": 16}

    def run(**options):
        data = TrainingData(train=train, validation=validation, spec=spec32)
        return fit(network, data, options=TrainOptions(**common, **options))

    model, how = run(ema=0.9)
    plain, without = run()
    assert [epoch.loss for epoch in how.history] == pytest.approx(
        [epoch.loss for epoch in without.history], rel=1e-4
    )
    assert not np.allclose(model.get_weights()[0], plain.get_weights()[0], atol=1e-5)
    keras = import_keras()
    model.compile(loss=keras.losses.BinaryCrossentropy())
    images = validation.rows * np.float32(1 / 255)
    loss = model.evaluate(images, validation.truth[:, None].astype(np.float32), verbose=0)
    best = how.history[how.best_epoch - 1]
    assert loss == pytest.approx(best.val_loss, rel=1e-4)
    assert best.val_loss == min(epoch.val_loss for epoch in how.history)
