"""Memory that nobody needs, returned to the system. Standard library only."""

from __future__ import annotations

import gc


def return_free_memory() -> None:
    """Collect objects that refer to each other, and return free memory to the system.

    It takes some ten milliseconds. An object of Python may be small and hold a library's large
    buffers, as frames of PyAV whose side data was read do, so that the collector, which counts
    objects, is in no hurry. glibc's allocator keeps what was freed in between.
    """
    import ctypes

    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library; Windows
        return
