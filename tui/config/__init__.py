"""Settings: their values, where each comes from (flag, environment, file, profile), and the file's writer."""
