"""What a capture tells of its calls: signalling as a ladder, streams in figures."""
