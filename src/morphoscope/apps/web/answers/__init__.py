"""What the API answers, as types: one file a subject."""
