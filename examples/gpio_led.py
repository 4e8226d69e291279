#!/usr/bin/env python3
"""Light an LED on a Raspberry Pi while somebody is happy.

    edgeemo live csi --on-change "python3 examples/gpio_led.py 17 happy"

edgeemo runs this at each event, with the event as JSON on standard input. The LED's long leg goes
to the pin by way of a resistor of 330 ohms, its short leg to ground. It needs `pinctrl`, which
Raspberry Pi OS has, and no package of Python. Where two faces are there, the last change counts.
"""

import argparse
import json
import shutil
import subprocess
import sys


def main() -> None:
    """Set the pin by the event on standard input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pin", type=int, help="number of the GPIO (BCM)")
    parser.add_argument("label", help="label that lights the LED")
    given = parser.parse_args()
    event = json.load(sys.stdin)
    if event["event"] in ("appeared", "changed"):
        light = event["label"] == given.label
    elif event["event"] in ("left", "lost"):
        light = False
    else:
        return
    if shutil.which("pinctrl") is None:
        sys.exit("pinctrl is missing: this needs a Raspberry Pi with Raspberry Pi OS")
    subprocess.run(["pinctrl", "set", str(given.pin), "op", "dh" if light else "dl"], check=True)


if __name__ == "__main__":
    main()
