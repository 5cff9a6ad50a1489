"""Recipes: each is one story, read from top to bottom."""
