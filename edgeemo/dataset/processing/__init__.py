"""Traces of processing in images: equalised, stretched, enlarged, or compressed before.

A device feeds a network the images of a camera. Training images that somebody equalised or
enlarged look different, and a test on them measures something else than the device does.
"""

from __future__ import annotations
