"""Rule values of the product, one YAML file per subject."""
