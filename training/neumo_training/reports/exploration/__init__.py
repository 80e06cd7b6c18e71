"""What a folder of films holds, what training would keep of it, and what could mislead a model."""
