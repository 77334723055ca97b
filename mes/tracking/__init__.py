"""What happened and where each component is: code, label, life cycle, scans, inspections."""
