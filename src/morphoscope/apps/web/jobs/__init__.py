"""Commands that run beside the server: one folder a job, which holds its order, its log, its end and its results."""
