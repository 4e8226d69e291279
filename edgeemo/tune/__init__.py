"""Search for the options that validate best, alone or with several machines; see `tune`.

Needs the `tune` extra.
"""

from edgeemo.tune.goal import Goal
from edgeemo.tune.limits import Limits
from edgeemo.tune.space import Space, space_of
from edgeemo.tune.tuner import Found, Job, tune

__all__ = ["Found", "Goal", "Job", "Limits", "Space", "space_of", "tune"]
