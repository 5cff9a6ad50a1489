"""Adds the perturbation to the aligned face; draws the shield."""
