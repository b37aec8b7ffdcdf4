"""Evaluations: did it remember?"""

from engram.catalogue.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "babi",
        "evals",
        {},
        "Weston 2015, Towards AI-Complete Question Answering (bAbI), arXiv:1502.05698",
        differs=(
            "only questions after the last sentence of a story; rules answer, no reader is learned"
        ),
    ),
    Row(
        "beam",
        "evals",
        {},
        "Tavakoli 2025, BEAM, github.com/mohammadtavakoli78/BEAM",
        differs="evidence messages are scored; plan markers are cut off",
    ),
    Row(
        "lihua",
        "evals",
        {},
        "Fan 2025, MiniRAG, arXiv:2501.06713, data set LiHua-World",
        differs="evidence chats are scored; evidence in other spellings is repaired",
    ),
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
        "madial",
        "evals",
        {},
        "He 2025, MADial-Bench, NAACL 2025, arXiv:2409.15240",
        differs="the question is the dialogue before the memory is brought up for the first time",
    ),
    Row(
        "memdaily",
        "evals",
        {},
        "Zhang 2024, MemSim, arXiv:2409.20163, data set MemDaily",
        differs="evidence messages are scored; the choices of answers are not shown",
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
        "memorybank-probes",
        "evals",
        {},
        "Zhong 2023, MemoryBank, arXiv:2305.10250, section 4",
        differs="no person judges: of questions that name a day, that day must come back",
    ),
    Row(
        "msc",
        "evals",
        {},
        "Xu 2022, Beyond Goldfish Memory (Multi-Session Chat), arXiv:2107.07567",
        differs="a fact is looked up among the chats of many people who get names",
    ),
    Row(
        "multihop",
        "evals",
        {},
        "Yang 2018, HotpotQA, arXiv:1809.09600; Trivedi 2022, MuSiQue, arXiv:2108.00573; "
        "Ho 2020, 2WikiMultihopQA, arXiv:2011.01060",
        differs="passages of all questions of a file are pooled; supporting passages are scored",
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
