"""Calculation properties: JQ programs that Port evaluates when an entity is read."""
