"""Malformed requests, and what a server makes of them."""
