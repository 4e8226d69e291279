"""A new bundle on 10,000 devices, simulated: waves, a gate after each, devices that are away.

The one who leads the rollout offers the bundle to one wave after the other. A device that is on the
network fetches it, verifies the signature, runs the self-test and replaces the old one. The gate
looks at the devices that have answered, and stops the rollout where too many have failed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A fleet and how it is updated. Times in seconds.

    Attributes:
        devices: Number of devices.
        bytes: Size of what a device fetches.
        server_bps: Bits per second that the server sends, to all devices together.
        device_bps: Bits per second that a device receives.
        away: Share of the devices that are not on the network when their wave begins.
        away_s: Mean time until such a device is back.
        check_s: Signature, self-test and restart on the device.
        waves: Devices of the waves; the last one has the rest.
        soak_s: Time that a wave is observed after its devices have answered.
        answered: Share of a wave that has to have answered before the gate looks.
        allowed: Share of failures that the gate allows, more than one failure at least.
        broken: Share of devices whose self-test fails: the old bundle stays.
        bad: Share of devices that predict worse though the self-test has passed.
        noticed: Probability that the metrics of such a device say so during the soak.
    """

    devices: int = 10_000
    bytes: float = 4.3e6
    server_bps: float = 100e6
    device_bps: float = 2e6
    away: float = 0.05
    away_s: float = 12 * 3600.0
    check_s: float = 20.0
    waves: tuple[int, ...] = (10, 100, 1000)
    soak_s: float = 24 * 3600.0
    answered: float = 0.9
    allowed: float = 0.01
    broken: float = 0.0
    bad: float = 0.0
    noticed: float = 0.5


@dataclass
class Rollout:
    """What became of a rollout.

    Attributes:
        stopped_at: Number of the wave whose gate stopped it, from 1; 0 where none did.
        hours: From its begin to 50, 95 and 99 % of the devices; None for what it did not reach.
        changed: Devices that run the new bundle at the end.
        bad: Of them, those that predict worse.
        back_hours: From the stop until 95 % of them have the old bundle again.
    """

    stopped_at: int = 0
    hours: dict[int, float | None] = field(default_factory=dict)
    changed: int = 0
    bad: int = 0
    back_hours: float = 0.0


def simulate(fleet: Fleet, *, seed: int) -> Rollout:
    """Simulate one rollout.

    Args:
        fleet: The fleet.
        seed: Of the random numbers.
    """
    rng = random.Random(seed)
    result, moment, updated = Rollout(), 0.0, []
    for number, size in enumerate(_cut(fleet), start=1):
        times = _answer_times(fleet, size, rng)
        looks = times[min(size - 1, int(size * fleet.answered))] + fleet.soak_s
        seen = sum(each <= looks for each in times)
        failed, bad = _draw(rng, size, fleet.broken), _draw(rng, size, fleet.bad)
        noticed = _draw(rng, bad, fleet.noticed)
        updated += [moment + each for each in times[: size - failed]]
        result.changed += size - failed
        result.bad += min(bad, size - failed)
        moment += looks
        if failed + noticed > max(1, fleet.allowed * seen):
            result.stopped_at = number
            back = _answer_times(fleet, result.changed, rng)
            result.back_hours = back[int(0.95 * (result.changed - 1))] / 3600
            break
    updated.sort()
    for share in (50, 95, 99):
        needed = fleet.devices * share // 100
        done = len(updated) >= needed and not result.stopped_at
        result.hours[share] = updated[needed - 1] / 3600 if done else None
    return result


def _cut(fleet: Fleet) -> list[int]:
    sizes = list(fleet.waves)
    return [*sizes, fleet.devices - sum(sizes)]


def _answer_times(fleet: Fleet, size: int, rng: random.Random) -> list[float]:
    """Return when each device of a wave has answered, from the begin of the wave, sorted."""
    back = sorted(
        rng.expovariate(1 / fleet.away_s) if rng.random() < fleet.away else 0.0 for _ in range(size)
    )
    own = fleet.bytes * 8 / fleet.device_bps
    served, times = 0.0, []
    for each in back:  # the server sends to one after the other, which is as fast as to all at once
        served = max(served, each) + fleet.bytes * 8 / fleet.server_bps
        times.append(max(served, each + own) + fleet.check_s)
    return times


def _draw(rng: random.Random, count: int, share: float) -> int:
    """Return how many of `count` are drawn, each with the probability `share`."""
    return sum(rng.random() < share for _ in range(count))
