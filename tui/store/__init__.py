"""SQLite: history, exchanges, stored response ids, blobs; the only importer of sqlite3."""
