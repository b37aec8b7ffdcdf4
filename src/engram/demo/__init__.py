"""Ten months of a conversation, and what a memory makes of it, in the terminal.

``script``     the lines that are spoken, ours or a LoCoMo file's
``questions``  what is asked of them, with the lines that answer
``stage``      how it looks
``recital``    the lines, as they are remembered one by one
``recall``     acts about finding: with evidence, nothing at all, how fast
``clocks``     acts about time: what changed, and what was known when
``trust``      acts about harm: a bad edit, an order in a web page, a secret
``locomo``     the same with a conversation of the LoCoMo benchmark
``play``       the whole evening
"""
