"""The encoder that comes with Morphoscope, and what it was trained on."""
