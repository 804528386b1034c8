"""How good a classifier is, where it errs, and what to try next."""
