"""What the stack tells others: events on its bus, and the webhooks that carry them to subscribers.

`events` has the types and the envelope. `changes` is the rule which events follow from a change of a row, and `publish`
puts them onto the bus. `subscriptions` and `deliveries` are what the routes and the function of the queues call;
`addresses`, `sender` and `signature` send one event.
"""
