"""The embedded endpoint: the HTTP surface of Bedrock's APIs for OpenAI models on loopback, offline.

It shares no code with the rest of the program, so that an error in one cannot hide in the other.
"""
