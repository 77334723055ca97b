"""The page of one component, as a phone opens it from the QR code."""
