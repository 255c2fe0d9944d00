"""What helps to write a mapping."""
