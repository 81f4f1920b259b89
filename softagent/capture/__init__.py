"""Datagrams on their way to and from a capture file: observed, written, read back. Knows no SIP but the Call-ID."""
