"""softagent: an AI that answers the office telephone, on the office's own box."""

__version__ = "0.1.0"
