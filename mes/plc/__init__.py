"""Values in, values out: links to PLCs, their tags and the hand-over of jobs. Knows no factory words."""
