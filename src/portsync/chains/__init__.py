"""Resources -> request chains: what a resource asks for, once for each value of its path parameters and each window."""
