"""Figures: fooling, what is still learnt from a face, and how visible the cloak is."""
