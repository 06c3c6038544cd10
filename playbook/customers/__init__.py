"""Customers: who buys, how much, how often, in which stage of life, and whom the shop is talking to."""
