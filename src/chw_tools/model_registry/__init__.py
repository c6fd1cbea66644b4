"""Where models are kept: one folder each, checked on loading, approved by a person."""
