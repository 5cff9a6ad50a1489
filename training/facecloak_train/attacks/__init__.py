"""Universal perturbations and what to compare them with. An attack is a function."""
