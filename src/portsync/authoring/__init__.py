"""What people need while they write a mapping: to look at what it does, and to hold it to what it did."""
