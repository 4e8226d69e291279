"""The runtime on the device: from an image to its label, without TensorFlow."""
