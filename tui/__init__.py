"""Outcrop: chat with OpenAI models on Amazon Bedrock, and see every byte of it."""

__version__ = "0.1.0"
