"""The tests of bootgraft, laid out like its source."""
