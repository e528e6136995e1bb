"""Ways to decide scope that others use or that come to mind first: what the product has to be better than."""
