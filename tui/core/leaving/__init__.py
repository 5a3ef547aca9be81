"""How a conversation leaves: as text, as data, as a program that goes on with it; and how it comes back."""
