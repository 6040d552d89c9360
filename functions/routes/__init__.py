"""HTTP routes: one Lambda function for each file, named after what the caller does.

A handler takes the request apart, calls one function of the domain, and returns the response. It gets the parts that
the function needs from its `wiring`.
"""
