"""The model of a stack: pure values and decisions. Imports nothing of ours except `qfc.errors`."""
