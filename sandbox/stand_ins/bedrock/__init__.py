"""Stand-in for Amazon Bedrock's Converse, behind the local cloud, which has IAM.

Start at `server`, which has the route. It checks a request (`request_rules`, `schema_rules`, `models`) and answers from
the words that are given: `transcript` reads them, `findings` finds, `fill` writes the JSON that is asked for, `answer`
makes it Converse's. `dials` and `spoil` are what goes wrong. `open_model` asks a model of the user's instead.
"""
