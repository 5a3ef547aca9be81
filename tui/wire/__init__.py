"""The network: the only importer of httpx and openai."""
