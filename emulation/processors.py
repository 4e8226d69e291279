"""The processors of the Raspberry Pis, as QEMU and Linux name them."""

from __future__ import annotations

from dataclasses import dataclass

_CORES = 4
_ARM = "0x41"
_COMMON_FEATURES = "fp asimd evtstrm crc32 cpuid"


@dataclass(frozen=True)
class Processor:
    """A processor as QEMU and Linux name it.

    Attributes:
        name: QEMU's name for it, after ``-cpu``.
        part: Its number in /proc/cpuinfo.
        features: Its line of features there; the engines choose their instructions by these two.
    """

    name: str
    part: str
    features: str

    def render_cpuinfo(self) -> str:
        """Return the Pi's /proc/cpuinfo, with the emulator as its board."""
        cores = [
            f"processor\t: {core}\nBogoMIPS\t: 108.00\nFeatures\t: {self.features}\n"
            f"CPU implementer\t: {_ARM}\nCPU architecture: 8\nCPU variant\t: 0x0\n"
            f"CPU part\t: {self.part}\nCPU revision\t: 3\n\n"
            for core in range(_CORES)
        ]
        return "".join(cores) + "Model\t\t: emulated by QEMU\n"


A53 = Processor("cortex-a53", "0xd03", _COMMON_FEATURES)
"""Raspberry Pi 3 and Zero 2."""
A72 = Processor("cortex-a72", "0xd08", _COMMON_FEATURES)
"""Raspberry Pi 4 and 400."""
A76 = Processor(
    "cortex-a76",
    "0xd0b",
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop "
    "asimddp",
)
"""Raspberry Pi 5 and 500: the only one with dot products and half precision."""

PROCESSORS = (A53, A72, A76)
