"""The parts of the inspector: what its tabs say, as rows, and the tables it lists exchanges and events in."""
