"""The pages of `docs/reference` that are made from the code; `tools/make_reference.py` writes them."""
