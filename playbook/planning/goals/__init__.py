"""Goals: how much to aim at, whether a goal is one, and what it means for each part of the shop."""
