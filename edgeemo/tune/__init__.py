"""Search for the options that validate best, alone or with several machines; see `tune`.

Needs the `tune` extra. A name is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.limits import NetworkLimits
    from edgeemo.tune.placement import Placement
    from edgeemo.tune.space import Space, make_space
    from edgeemo.tune.tuner import TuneJob, TuneResult, check_search, tune

__all__ = [
    "Goal",
    "NetworkLimits",
    "Placement",
    "Space",
    "TuneJob",
    "TuneResult",
    "check_search",
    "make_space",
    "tune",
]

__getattr__ = import_on_use(
    __name__,
    {
        "TuneResult": "edgeemo.tune.tuner",
        "Goal": "edgeemo.tune.goal",
        "check_search": "edgeemo.tune.tuner",
        "TuneJob": "edgeemo.tune.tuner",
        "NetworkLimits": "edgeemo.tune.limits",
        "Placement": "edgeemo.tune.placement",
        "Space": "edgeemo.tune.space",
        "make_space": "edgeemo.tune.space",
        "tune": "edgeemo.tune.tuner",
    },
)
