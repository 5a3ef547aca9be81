"""Converse and ConverseStream, on runtime (bedrock-facts.md section 6)."""
