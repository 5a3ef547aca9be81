"""The async layer: what a conversation does between the screens and the wire, one job to a module."""
