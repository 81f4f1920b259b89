"""The command line: one click command a file, thin over plain functions."""
