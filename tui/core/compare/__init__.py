"""One prompt to several targets: the words that name them, the figures, the differences of the answers."""
