"""What a sync would take, without running it: `shapes` says of what, `line` plays it in the time of `clockwork`."""
