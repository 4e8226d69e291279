"""Options of `edgeemo live`, declared once: the command line, its help and live.toml use them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from edgeemo.utils.options import Argument, Option

_SOURCE, _SPEED, _STEADY = "Source", "Speed", "Steadiness"
_OUTPUT, _SENDING, _PRIVACY = "Output", "Messages", "Privacy"


def _need_video(_: object) -> str:
    return "av"


def _need_mqtt(_: object) -> str:
    return "paho"


class LiveFormat(StrEnum):
    """Format of the printed output of a live run."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Options of a live run, apart from the model and its faces."""

    source: Annotated[
        str,
        Argument(
            "Camera (0, /dev/video0, or csi for a Raspberry Pi camera); video file; rtsp:// or "
            "http:// address; folder, with --watch; - for JPEGs on standard input; test for drawn "
            "faces.",
            metavar="SOURCE",
            default="the first camera that gives a frame",
        ),
    ] = ""
    list: Annotated[bool, Option("List the cameras and exit.", group=_SOURCE)] = False
    watch: Annotated[
        bool, Option("Wait for images that appear in the folder SOURCE.", group=_SOURCE)
    ] = False
    real_time: Annotated[
        bool,
        Option("Play a video file as if it were live, passing frames over.", group=_SOURCE),
    ] = False
    size: Annotated[
        str, Option("Size of a camera's frames, in pixels.", metavar="WxH", group=_SOURCE)
    ] = "640x480"
    fps: Annotated[
        float, Option("Frames per second of a camera.", above=0, maximum=240, group=_SOURCE)
    ] = 30.0
    seconds: Annotated[
        float | None,
        Option(
            "Seconds after which to end; of a video file, of its own time.",
            above=0,
            default="until it ends or Ctrl-C",
            group=_SOURCE,
        ),
    ] = None
    config: Annotated[
        Path | None,
        Option(
            "TOML file of options, spelt with _ for -; the command line overrides it.",
            metavar="FILE",
        ),
    ] = None

    steady: Annotated[
        float,
        Option(
            "Time constant of the mean of the predictions, in seconds; 0 for none.",
            metavar="SECONDS",
            minimum=0,
            maximum=60,
            group=_STEADY,
        ),
    ] = 0.3
    min_confidence: Annotated[
        float | None,
        Option(
            'Confidence threshold, below which the label is "not sure".',
            minimum=0,
            below=1,
            default="as the model says",
            group=_STEADY,
        ),
    ] = None

    max_fps: Annotated[
        float | None,
        Option(
            "Most frames per second to predict.",
            above=0,
            maximum=240,
            default="no limit",
            group=_SPEED,
        ),
    ] = None
    motion_gate: Annotated[
        bool | None,
        Option(
            "Repeat the last predictions while nothing moves.",
            default="on for cameras",
            group=_SPEED,
        ),
    ] = None
    max_temp: Annotated[
        float | None,
        Option(
            "Processor temperature, in degrees Celsius, from which to predict fewer frames.",
            minimum=30,
            maximum=120,
            default="no limit",
            group=_SPEED,
        ),
    ] = None

    format: Annotated[LiveFormat, Option("Format of the output.", group=_OUTPUT)] = LiveFormat.TEXT
    json: Annotated[bool, Option("The same as --format jsonl.", group=_OUTPUT)] = False
    events: Annotated[
        bool,
        Option(
            "Print events instead of frames: a face appeared, its label changed, it left.",
            group=_OUTPUT,
        ),
    ] = False
    annotate: Annotated[
        Path | None,
        Option(
            "Video file to write, with bounding boxes and labels.",
            metavar="FILE",
            group=_OUTPUT,
            needs=_need_video,
        ),
    ] = None
    html: Annotated[
        Path | None,
        Option("Page with the time line to write at the end.", metavar="FILE", group=_OUTPUT),
    ] = None
    clip: Annotated[
        float | None,
        Option(
            "Seconds of video to keep before and after each change, with --clips.",
            metavar="SECONDS",
            above=0,
            maximum=300,
            default="none",
            group=_OUTPUT,
            needs=_need_video,
        ),
    ] = None
    clips: Annotated[Path | None, Option("Folder for clips.", metavar="DIR", group=_OUTPUT)] = None
    keep: Annotated[
        str,
        Option(
            "Most that the clips may take; the oldest are removed.", metavar="SIZE", group=_OUTPUT
        ),
    ] = "1GB"
    collect: Annotated[
        Path | None,
        Option(
            "Folder for crops of faces of which the model was not sure.",
            metavar="DIR",
            group=_OUTPUT,
        ),
    ] = None

    on_change: Annotated[
        str | None,
        Option(
            "Command to run at each event, with the event as JSON on its standard input.",
            metavar="COMMAND",
            group=_SENDING,
        ),
    ] = None
    webhook: Annotated[
        str | None,
        Option("Address to which each event is posted as JSON.", metavar="URL", group=_SENDING),
    ] = None
    mqtt: Annotated[
        str | None,
        Option(
            "MQTT broker, mqtt:// or mqtts://, with Home Assistant discovery.",
            metavar="URL",
            group=_SENDING,
            needs=_need_mqtt,
        ),
    ] = None
    name: Annotated[
        str,
        Option("Name of this camera in messages.", default="the host's name", group=_SENDING),
    ] = ""

    mask: Annotated[
        tuple[str, ...],
        Option(
            "Rectangle of the frame that is black before anything sees it.",
            metavar="X,Y,W,H",
            repeats=True,
            group=_PRIVACY,
        ),
    ] = ()
    region: Annotated[
        tuple[str, ...],
        Option(
            "Rectangle outside of which all is black.",
            metavar="X,Y,W,H",
            repeats=True,
            group=_PRIVACY,
        ),
    ] = ()
    blur: Annotated[
        bool,
        Option("Pixelate faces in all images and videos that are written or sent.", group=_PRIVACY),
    ] = False
    no_images: Annotated[
        bool, Option("Write and send predictions alone, no image or video.", group=_PRIVACY)
    ] = False
