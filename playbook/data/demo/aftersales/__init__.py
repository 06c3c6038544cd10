"""What follows an order: parcels, returns, money, questions, reviews, surveys."""
