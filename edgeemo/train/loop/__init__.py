"""The training loop: fitting, losses, checkpoints and metrics."""
