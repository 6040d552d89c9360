"""The AWS resources: one construct in each file, composed by the stack."""
