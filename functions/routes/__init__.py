"""HTTP routes, one Lambda function per file, named after what the caller does.

A handler takes the request apart, calls one function of the domain, and returns its answer.
"""
