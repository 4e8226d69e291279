"""A Raspberry Pi without a Raspberry Pi: a tool of this repository, not part of the package.

`root` makes an arm64 Debian with the wheels that edgeemo needs. `user_mode` runs its Python as one
of the Pis' processors, `system_mode` a whole machine whose clock counts instructions. They need the
Debian packages that CONTRIBUTING.md names, and no root rights.
"""
