"""What Trefpunt's speed is measured against; never imported by the product, with an environment of its own."""
