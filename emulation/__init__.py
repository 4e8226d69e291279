"""A Raspberry Pi without a Raspberry Pi: a tool of this repository, not part of the package.

`root` makes an arm64 Debian with the wheels that edgeemo runs with, `user_mode` runs its Python as
one of the Pis' processors. Both need the packages of Debian that CONTRIBUTING.md names, and no root
rights.
"""
