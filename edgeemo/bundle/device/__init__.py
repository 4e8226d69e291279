"""The part of a bundle that runs on the device: entry point, self-test and subcommands."""
