"""Which settings of a recipe suit some pictures: the space of settings, the search in it, and one trial."""
