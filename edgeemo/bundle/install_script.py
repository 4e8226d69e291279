"""Render the shell script that installs a bundle and its wheels without internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "install.sh"

_SCRIPT = r"""#!/bin/sh
# Installs @BUNDLE@ and the packages it needs, without internet, and runs its self-test.
#
#     sh install.sh [FOLDER]             its virtual environment, by default ~/edgeemo
#     PYTHON=python3.13 sh install.sh    with another Python than python3
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-"$HOME/edgeemo"}
python=${PYTHON:-python3}

fail() {
    echo "error: $1" >&2
    exit "${2:-1}"
}

# The line of a program's output with the error.
reason() {
    line=$(printf '%s\n' "$1" | sed -n 's/^[Ee][Rr][Rr][Oo][Rr]: //p' | head -n 1)
    [ -n "$line" ] || line=$(printf '%s\n' "$1" | tail -n 1)
    printf '%s' "$line"
}

command -v "$python" >/dev/null || fail "there is no $python here"
tag=$("$python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
machine=$("$python" -c 'import os, sys; print(os.uname()[4], 64 if sys.maxsize > 2**32 else 32)')
requirements=$here/requirements-$tag.txt
[ "$machine" = "@MACHINE@ 64" ] ||
    fail "the wheels are for @MACHINE@ with a 64-bit Python, and this is $machine-bit"
[ -f "$requirements" ] ||
    fail "$python is $tag, and the wheels are for @TAGS@: make the folder again with --wheels $tag"

# A new folder is removed again if anything fails; one that a power cut left unfinished is made
# anew. An existing one is updated.
unfinished=$target/.unfinished
new=
[ -e "$target" ] && [ ! -e "$unfinished" ] || new=yes
trap '[ -z "$new" ] || rm -rf "$target"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "Installing into $target ..."
if [ -n "$new" ]; then
    rm -rf "$target"
    out=$({ mkdir -p "$target" && : >"$unfinished"; } 2>&1) || fail "$(reason "$out")"
fi
out=$("$python" -m venv --without-pip "$target" 2>&1) ||
    fail "$python cannot make a virtual environment: $(reason "$out")"
set -- "$here"/wheels/pip-*.whl # a wheel of pip runs as it is
out=$("$target/bin/python" "$1/pip" --quiet --disable-pip-version-check install \
    --no-index --no-cache-dir --find-links "$here/wheels" --require-hashes -r "$requirements" \
    2>&1) || fail "pip cannot install the wheels: $(reason "$out")"
"$target/bin/python" "$here/@BUNDLE@" selftest || fail "the self-test does not pass" $?
out=$(cp "$here/@BUNDLE@" "$target/.@BUNDLE@" 2>&1 &&
    mv "$target/.@BUNDLE@" "$target/@BUNDLE@" 2>&1 && rm -f "$unfinished" 2>&1) ||
    fail "$(reason "$out")"
new=
echo "To predict images: $target/bin/python $target/@BUNDLE@ predict IMAGE..."
"""


def render_install_script(bundle: str, *, tags: Sequence[str], machine: str) -> str:
    """Render the script for one bundle.

    Args:
        bundle: File name of the bundle, beside the script.
        tags: Python tags of the wheels.
        machine: Processor architecture of the wheels, as ``uname -m`` calls it.
    """
    return (
        _SCRIPT.replace("@BUNDLE@", bundle)
        .replace("@TAGS@", " and ".join(tags))
        .replace("@MACHINE@", machine)
    )
