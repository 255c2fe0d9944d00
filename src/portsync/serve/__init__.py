"""portsync as a service: when runs are due, who else asks for one, and how the service is."""
