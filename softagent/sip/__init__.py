"""Signalling: the telephone that registers, rings and hangs up."""
