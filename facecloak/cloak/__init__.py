"""Adds to each aligned face the perturbation that answers it; draws the shield."""
