"""The domain of Recording Insights: everything the functions share, free of Lambda and of CDK."""
