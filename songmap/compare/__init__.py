"""Which model and which features: compared on the same folds, with what is and what is not a difference."""
