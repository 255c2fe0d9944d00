"""The page of the local Port: what is in the catalogue, for a browser. It reads and never writes."""
