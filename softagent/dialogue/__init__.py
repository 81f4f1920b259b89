"""Whose turn it is: the pure core of a call. No thread, clock, socket or file."""
