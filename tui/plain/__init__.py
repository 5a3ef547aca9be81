"""Linear mode, `outcrop --plain`: lines in, lines out, for screen readers, dumb terminals and pipes."""
