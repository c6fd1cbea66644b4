"""Server-rendered pages: today's list, a person, a visit. No rule lives here."""
