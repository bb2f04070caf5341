"""From findings to a plan, from a plan to a proven overlay."""
