"""What tests of work on many images import, and the nodes of their cluster, too."""

from __future__ import annotations

import sys

from tests.nodes import HELPERS

sys.path.insert(0, HELPERS)
