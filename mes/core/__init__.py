"""Words that all folders share: ids, time, errors, events, geometry, and the ports to what lies outside."""
