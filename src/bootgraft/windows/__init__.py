"""One Windows installation: version, control sets, services, device bindings, driver files."""
