"""From an image file to the array that a network takes."""
