"""Events from EventBridge, directly or through a queue: one Lambda function for each file."""
