"""What the team does and records: advertising, plans, purchases, messages, the market."""
