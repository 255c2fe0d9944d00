"""portsync brings data from any REST API into a Port software catalog, from one YAML file."""

__version__ = "0.1.0"
