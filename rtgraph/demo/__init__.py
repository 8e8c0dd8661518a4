"""Synthetic radiotherapy patients and the command that shows the whole program on them."""
