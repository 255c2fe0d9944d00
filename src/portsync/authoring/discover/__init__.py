"""From an API that nobody has described to a mapping, its blueprints and a test case, each part with its reason."""
