"""All converters whose logs are understood, each the work of one grammar."""

from bootgraft.explain import converter, virtv2v

GRAMMARS = (converter.GRAMMAR, virtv2v.GRAMMAR)
"""In this order a line is offered to them."""
