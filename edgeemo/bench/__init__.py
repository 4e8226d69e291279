"""Measure exported files on the machine at hand, and choose by what was measured.

    >>> from edgeemo.bench import measure  # doctest: +SKIP

Every candidate, a file with a number of threads, runs in processes of its own (`worker`); this side
starts them, pools what they say and puts it into words. A bundle holds this room, too, but for
`choice`, `compare` and `plot`: what it needs is the standard library, and numpy and Pillow to
draw an image.
"""
