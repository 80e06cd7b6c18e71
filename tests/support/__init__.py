"""What the tests share: servers, clients, films and models, and nothing that is a test."""
