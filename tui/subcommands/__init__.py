"""What `outcrop SUBCOMMAND` does, a module each; `cli.py` imports the one it needs."""
