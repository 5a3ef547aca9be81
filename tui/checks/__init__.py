"""The guide's smoke checks, as data, and the run that works through them. Part of the session layer."""
