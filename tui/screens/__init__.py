"""Textual screens: the chat screen and what opens above it."""
