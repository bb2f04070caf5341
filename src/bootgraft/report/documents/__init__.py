"""The JSON documents of the command-line contract (``docs/json.md``), from which ``docs/schema`` is made."""
