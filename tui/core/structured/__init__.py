"""Structured output: what is asked for, whether it may be asked for, and what came of it."""
