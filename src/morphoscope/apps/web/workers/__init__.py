"""Processes that decode what strangers send, with a limit on memory and time."""
