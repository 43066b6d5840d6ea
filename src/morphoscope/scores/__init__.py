"""Pure functions from truth and prediction to a figure with its interval."""
