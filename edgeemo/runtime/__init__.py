"""What runs on the device: picture in, label out, without TensorFlow."""
