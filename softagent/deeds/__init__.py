"""Carrying out what the conversation wants done: transfers, keys, messages, the office's own actions."""
