"""What people decided: thresholds, intervals, capacities, texts, outcomes."""
