"""The bearer token (environment, keyring, memory) and AWS profiles that sign in its place."""
