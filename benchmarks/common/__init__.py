"""What several scripts use: data, command line, records."""
