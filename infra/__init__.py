"""What creates AWS: one construct per file, composed by the stack."""
