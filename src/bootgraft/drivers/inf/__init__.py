"""Driver packages by setupapi's rules: which INF serves a device in a Windows best, and what it installs."""
