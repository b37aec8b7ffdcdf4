"""Agents: loops around any language model, with a working memory that is bounded."""

from engram.catalogue.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "l2mac",
        "agents",
        {
            "control": "agents.control:ControlUnit",
            "state": "agents.program:Program",
            "tests": "agents.evaluators:Sandbox",
        },
        "Holt 2024, L2MAC: Large Language Model Automatic Computer, ICLR 2024, arXiv:2310.02003",
        differs=(
            "files whose syntax is wrong are not written, nor those that lose most of their "
            "lines; a step that comes to nothing is undone; only tests that a step broke are its "
            "fault"
        ),
        claim="evals.claims.l2mac:claim",
    ),
    Row(
        "mem1",
        "agents",
        {
            "loop": "agents.constant:ConstantMemoryAgent",
            "policy": "agents.extractive:Extractive",
        },
        (
            "Zhou 2025, MEM1: Learning to Synergize Memory and Reasoning for Efficient "
            "Long-Horizon Agents, arXiv:2506.15841"
        ),
        differs=(
            "what leaves the context is kept and can be recalled; turns are packed with a copy of "
            "what each saw, for one copy is not what the rollout gave; rules where no model is; "
            "nothing is trained here"
        ),
        claim="evals.claims.mem1:claim",
    ),
)
