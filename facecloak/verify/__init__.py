"""The on-device classifiers, and what counts as fooled."""
