"""What happened and what did not: who is overdue, worsened or silent."""
