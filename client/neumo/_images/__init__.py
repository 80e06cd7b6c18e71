"""What stands behind ``neumo.image``: files, formats and arrays to upright 8-bit images."""
