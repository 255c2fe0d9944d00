"""A run on many machines: the same mapping, cut into slices that workers do, with limits that hold for all of them."""
