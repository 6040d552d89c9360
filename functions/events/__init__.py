"""Events from EventBridge: one Lambda function for each file."""
