"""Keys: how they are named, what they are bound to, where they apply, and the table of all of them."""
