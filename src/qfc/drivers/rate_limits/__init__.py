"""Limits on how often projects are synchronised: in the node itself, or at a deployment's nginx."""
