"""What runs a cell along sequences faster than a plain loop, and what chooses among it."""
