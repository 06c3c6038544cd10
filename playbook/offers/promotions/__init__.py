"""Promotions: what rules mean, what a basket costs under them, and what they would do to the shop's own baskets."""
