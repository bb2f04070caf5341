"""All converters whose logs are understood, each the work of one grammar."""

from bootgraft.explain.converters import converter, firstboot, virtv2v

GRAMMARS = (converter.GRAMMAR, firstboot.GRAMMAR, virtv2v.GRAMMAR)
"""In this order a line is offered to them."""
