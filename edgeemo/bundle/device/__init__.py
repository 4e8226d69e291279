"""What a bundle brings to the device besides the runtime: its front door and its self-test."""
