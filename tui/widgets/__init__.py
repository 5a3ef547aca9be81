"""Textual widgets: they know `core` and `messages`, never the session."""
