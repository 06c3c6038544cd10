"""Customers: who they are, what they feel, what they are worth."""
