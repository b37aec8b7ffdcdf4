"""What time does to memories."""
