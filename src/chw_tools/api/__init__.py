"""The HTTP entrance: parses, calls one act, answers. No rule lives here."""
