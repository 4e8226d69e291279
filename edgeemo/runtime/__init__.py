"""What runs on the device: image in, label out, without TensorFlow."""
