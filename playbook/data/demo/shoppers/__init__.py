"""Who buys: people who arrive, come back and stop, what lies in their baskets, and their accounts."""
