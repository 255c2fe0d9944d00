"""What is counted and summed of entities, by the routes that aggregate, by aggregation properties and on the page."""
