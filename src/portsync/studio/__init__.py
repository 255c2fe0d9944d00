"""`portsync studio`: a page on this machine in which a mapping is written beside what it makes of its source."""
