"""What is said to whom, when and how: machines, gates, windows, templates, protocols, trials."""
