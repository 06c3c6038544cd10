"""Pricing: between which prices a product can be sold, how sales follow its price, and what each price earns."""
