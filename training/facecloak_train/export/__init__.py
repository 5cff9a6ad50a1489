"""Takes trained classifiers to the live app."""
