"""From predictions on held-out pictures to figures, tables, a report and labelled copies."""
