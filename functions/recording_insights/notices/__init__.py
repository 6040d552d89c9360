"""What the stack tells others: events on its bus, and the webhooks that carry them to subscribers.

`events` has the types and the envelope. `subscriptions` and `deliveries` are what the routes and the function of the
queue call; `addresses`, `sender` and `signature` send one event.
"""
