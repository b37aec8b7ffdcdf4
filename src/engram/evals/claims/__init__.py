"""What each published system claims, measured: one module a system, its docstring is its page."""
