"""The pages of `docs/reference` that are generated from the code; `tools/make_reference.py` writes them."""
