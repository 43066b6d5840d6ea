"""What people say of pictures: tasks and classes that may change, answers that are never lost, and how far annotators agree."""
