"""Chat Completions, on runtime and on mantle (bedrock-facts.md section 5)."""
