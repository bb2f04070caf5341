"""One module per command; the contract is docs/json.md and the exit statuses."""
