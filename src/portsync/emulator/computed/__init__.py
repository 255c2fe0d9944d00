"""Values that no request writes: mirror, aggregation and calculation properties, computed when entities are read."""
