"""A local stand-in for Port: its REST API on SQLite, for demos, dry runs and tests."""
