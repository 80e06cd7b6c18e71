"""Folders of films to tables: what is there, what is kept and why, and who is trained on."""
