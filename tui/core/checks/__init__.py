"""What checks of an endpoint come to: results, advice after a failure, reports. Pure."""
