"""What a PDF says of itself, read in processes that a hostile file may break."""
