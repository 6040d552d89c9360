"""Events from EventBridge, one Lambda function per file."""
