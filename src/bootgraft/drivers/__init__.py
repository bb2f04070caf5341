"""Where drivers come from: donors and hand-exported .reg and .sys files."""
