"""Runs a plan: its calls over a transport, by threads or by asyncio, one film or many."""
