"""What was measured, beside what is published: tables from the store of a grid, or from reports."""
