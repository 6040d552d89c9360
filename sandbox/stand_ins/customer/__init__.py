"""How a vendor reaches its customer: the bucket it uploads to, the webhook it calls, the media it downloads."""
