"""From a folder of files to usable images in three splits."""
