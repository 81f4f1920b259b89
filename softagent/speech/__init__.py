"""Engines that hear and speak: voice activity, recognizers, synthesizers."""
