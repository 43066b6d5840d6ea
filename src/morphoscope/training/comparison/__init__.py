"""Recipes side by side: a run, what it leaves behind, and how pictures are divided among runs."""
