"""What all screens share: the frame of a page, its texts, its pictures."""
