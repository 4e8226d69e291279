"""Size of an installation on a device, package by package, and of what is downloaded for it.

    python benchmarks/install_size.py                    # what a bundle needs, on a 64-bit Pi
    python benchmarks/install_size.py --edgeemo          # edgeemo itself
    python benchmarks/install_size.py --machine x86_64 --python 3.13

Wheels for the machine are downloaded, unpacked into a folder and compiled, as pip does. Where the
machine is another, nothing of them runs. A virtual environment adds pip (and setuptools up to
Python 3.11) unless it is made with --without-pip; they are those of the Python that runs this.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import PathDistribution, distributions
from pathlib import Path

from edgeemo.utils.text import markdown_head, markdown_row

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ("numpy", "pillow", "ai-edge-litert")
GLIBC = ("2_28", "2_27", "2_17")


def pip(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words],
                   check=True)  # fmt: skip


def measure_mb(folder: Path) -> float:
    return sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file()) / 1e6


def download(folder: Path, requirements: tuple[str, ...], machine: str, python: str) -> None:
    """Download the wheels for a machine and a Python."""
    platforms = [f"--platform=manylinux_{glibc}_{machine}" for glibc in GLIBC]
    platforms.append(f"--platform=manylinux2014_{machine}")
    pins = ROOT / "constraints.txt"
    pip("download", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}",
        *platforms, "--dest", folder, "--constraint", pins, *requirements)  # fmt: skip


def measure_package(found: PathDistribution) -> float:
    """Return the megabytes of a package's files, compiled ones included."""
    files = {Path(each.locate()) for each in found.files or ()}
    for file in list(files):
        if file.suffix == ".py":
            files.update(file.parent.glob(f"__pycache__/{file.stem}.*.pyc"))
    return sum(each.stat().st_size for each in files if each.is_file()) / 1e6


def measure_environment(folder: Path) -> float:
    """Return the megabytes of a virtual environment with pip."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return measure_mb(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edgeemo", action="store_true", help="edgeemo itself, not a bundle")
    parser.add_argument("--machine", default="aarch64", help="aarch64 or x86_64")
    parser.add_argument("--python", default="3.11", help="version of Python")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        requirements = BUNDLE
        if options.edgeemo:
            pip("wheel", "--no-deps", "--wheel-dir", folder / "own", ROOT)
            requirements = tuple(map(str, (folder / "own").glob("*.whl")))
        download(folder / "wheels", requirements, options.machine, options.python)
        site = folder / "site"
        for wheel in (folder / "wheels").glob("*.whl"):
            subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, site], check=True)
        subprocess.run([sys.executable, "-m", "compileall", "-qq", site], check=False)
        sizes = {each.name: measure_package(each) for each in distributions(path=[str(site)])}
        sizes["pip, in a virtual environment"] = measure_environment(folder / "venv")
        print("\n".join(markdown_head(("package", "MB"), words=1)))
        for package, size in sorted(sizes.items(), key=lambda row: -row[1]):
            print(markdown_row([package, f"{size:.1f}"]))
        print(markdown_row(["all", f"{sum(sizes.values()):.1f}"]))
        print(f"\nDownloaded: {measure_mb(folder / 'wheels'):.1f} MB "
              f"({options.machine}, Python {options.python})")  # fmt: skip


if __name__ == "__main__":
    main()
