"""Evaluations: did it remember?"""

from engram.catalogue.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "locomo",
        "evals",
        {},
        "Maharana 2024, Evaluating Very Long-Term Conversational Memory of LLM Agents, ACL 2024",
        differs="recall is scored by category number; dirty evidence is repaired, leaks are closed",
        claim="evals.claims.locomo:claim",
    ),
    Row(
        "longmemeval",
        "evals",
        {},
        "Wu 2025, LongMemEval, ICLR 2025, arXiv:2410.10813",
        differs="sessions are renumbered by date, so that their ids tell nothing",
        claim="evals.claims.longmemeval:claim",
    ),
    Row(
        "memoryagentbench",
        "evals",
        {},
        "Hu 2025, MemoryAgentBench, arXiv:2507.05257",
        differs="synthetic twins of the four competencies, answered without a model",
        claim="evals.claims.memoryagentbench:claim",
    ),
    Row(
        "sort",
        "evals",
        {},
        "Pink 2024, Sequence Order Recall Tasks, arXiv:2410.08133",
        differs="a score decides in place of a label's log-probability",
        claim="evals.claims.sort:claim",
    ),
)
