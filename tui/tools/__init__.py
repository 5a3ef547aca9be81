"""Tools that run on this machine: where they are declared, and how they are run, each in a child process."""
