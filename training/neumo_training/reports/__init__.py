"""What people read: HTML pages, cards, tables of what was tried."""
