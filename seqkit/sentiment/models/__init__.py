"""The classifiers, one contract."""
