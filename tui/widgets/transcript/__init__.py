"""The conversation pane's inside: splitting markdown, rendering it to rows, laying rows out, selecting."""
