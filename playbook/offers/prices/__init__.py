"""Prices: between which prices a product can be sold, what each earns, and which should move."""
