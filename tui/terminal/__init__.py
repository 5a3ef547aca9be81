"""The terminal and the desktop around it: driver, title, clipboard, editor, notifications, links."""
