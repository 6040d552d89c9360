"""Fields of Agora's clientRequest: each is validated and translated from our API's names."""
