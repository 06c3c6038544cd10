"""What they do on the own site and what platforms count: visits, events, experiments, contacts, traffic."""
