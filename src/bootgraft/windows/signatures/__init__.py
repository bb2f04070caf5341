"""Authenticode signatures of drivers: read, verified, classed, and judged as a Windows' loader would."""
