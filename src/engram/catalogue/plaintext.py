"""Memories of words: presets for ``Memory.open``."""

from engram.catalogue.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "a-mem",
        "plaintext",
        {
            "enrichers": [
                "plaintext.enrichers.notes:Notes",
            ],
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
                "plaintext.refiners.bridges:Bridges",
                "plaintext.refiners.linked:Linked",
            ],
        },
        "Xu 2025, A-MEM: Agentic Memory for LLM Agents, NeurIPS 2025, arXiv:2502.12110",
        like="hybrid",
        differs=(
            "notes stand beside what was said and are searched with it, by words as well as by "
            "vectors; without a model they are written by rules"
        ),
        claim="evals.claims.a_mem:claim",
    ),
    Row(
        "caim",
        "plaintext",
        {
            "enrichers": [
                "plaintext.enrichers.ontology:Ontology",
            ],
            "router": {
                "use": "plaintext.routers.need:Need",
                "reader": {
                    "use": "plaintext.routers.question:Question",
                },
            },
            "channels": {
                "tags": ("plaintext.indexes.tags:Tags", 0.2),
            },
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
                "plaintext.refiners.bridges:Bridges",
                "plaintext.refiners.periods:Periods",
            ],
            "keepers": [
                "plaintext.keepers.expiry:Expiry",
                "plaintext.keepers.review:Review",
                "plaintext.keepers.forgetting:Forgetting",
            ],
        },
        "Westhäußer 2025, CAIM, arXiv:2505.13044",
        like="hybrid",
        differs="an ontology of our own; tags boost beside the house's channels and never gate",
        claim="evals.claims.caim:claim",
    ),
    Row(
        "hybrid",
        "plaintext",
        {
            "extractors": [
                "plaintext.extractors.triples:Triples",
            ],
            "consolidator": "plaintext.consolidators.functional:Functional",
            "router": "plaintext.routers.question:Question",
            "channels": {
                "words": ("plaintext.indexes.lexical:Lexical", 1.0),
                "meaning": ("plaintext.indexes.dense:Dense", 0.7),
                "phrases": ("plaintext.indexes.phrases:Phrases", 0.35),
                "speakers": ("plaintext.indexes.speakers:Speakers", 0.7),
                "times": ("plaintext.indexes.times:Times", 0.7),
                "facts": ("plaintext.indexes.facts:Facts", 5.0),
            },
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
                "plaintext.refiners.bridges:Bridges",
            ],
            "packer": "plaintext.packers.chronological:Chronological",
            "confidence": "plaintext.confidence:Confidence",
            "scale": 4.0,
            "abstain_below": 0.3,
            "keepers": [
                "plaintext.keepers.expiry:Expiry",
                "plaintext.keepers.forgetting:Forgetting",
            ],
        },
        "engram 2026; the house's default",
        differs="not a published system: the best parts of several, with no model and no key",
    ),
    Row(
        "mem0",
        "plaintext",
        {
            "extractors": [],
            "enrichers": [
                "plaintext.enrichers.statements:Statements",
                "plaintext.enrichers.reconciling:Reconciling",
            ],
        },
        (
            "Chhikara 2025, Mem0: Building Production-Ready AI Agents with Scalable Long-Term "
            "Memory, arXiv:2504.19413"
        ),
        like="hybrid",
        differs=(
            "messages are kept and searched beside the statements drawn from them, by words, time"
            " and speaker too; nothing is deleted; without a model, statements are read by rules"
        ),
        claim="evals.claims.mem0:claim",
    ),
    Row(
        "mem0-graph",
        "plaintext",
        {
            "extractors": [],
            "enrichers": [
                "plaintext.enrichers.statements:Statements",
                "plaintext.enrichers.reconciling:Reconciling",
                "plaintext.enrichers.entities:Entities",
            ],
            "refiners": [
                "plaintext.refiners.neighbourhood:Neighbourhood",
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
                "plaintext.refiners.bridges:Bridges",
            ],
        },
        (
            "Chhikara 2025, Mem0: Building Production-Ready AI Agents with Scalable Long-Term "
            "Memory, arXiv:2504.19413, section 2.2"
        ),
        like="hybrid",
        differs=(
            "as mem0; edges of the graph take their place among the other results; names that are"
            " merely near are not one node"
        ),
        claim="evals.claims.mem0:claim",
    ),
    Row(
        "mem0-v3",
        "plaintext",
        {
            "extractors": [],
            "enrichers": [
                "plaintext.enrichers.statements:Statements",
                {
                    "use": "plaintext.enrichers.entities:Entities",
                    "threshold": 0.95,
                    "makes": ("nodes",),
                },
            ],
            "channels": {
                "words": ("plaintext.indexes.squashed:Squashed", 1.0),
                "meaning": ("plaintext.indexes.cosine:Cosine", 1.0),
                "entities": ("plaintext.indexes.linked_entities:LinkedEntities", 1.0),
                "speakers": ("plaintext.indexes.speakers:Speakers", 0.2),
                "times": ("plaintext.indexes.times:Times", 0.3),
                "facts": ("plaintext.indexes.facts:Facts", 1.0),
                "phrases": None,
            },
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
                "plaintext.refiners.bridges:Bridges",
                "plaintext.refiners.signals:Signals",
            ],
            "scale": 1.0,
            "abstain_below": 0.25,
        },
        "Mem0 2026, version 3 of the repository, mem0ai/mem0",
        like="hybrid",
        differs=(
            "every channel proposes results, where theirs only rerank what the vectors found; "
            "speaker, time and slot count too, for messages are searched beside the statements; "
            "two values of one slot are never both current"
        ),
        claim="evals.claims.mem0:claim",
    ),
    Row(
        "memgas",
        "plaintext",
        {
            "enrichers": [
                "plaintext.enrichers.sessions:Sessions",
            ],
            "channels": {
                "granularities": ("plaintext.indexes.granularities:Granularities", 3.0),
            },
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.walk:Walk",
                "plaintext.refiners.bridges:Bridges",
            ],
        },
        "Xu 2025, MemGAS, arXiv:2505.19549",
        like="hybrid",
        differs=(
            "what the sessions are worth is added to their turns, which are found by words too; "
            "entropies are divided by their most; without a model, filters and summaries are rules"
        ),
        claim="evals.claims.memgas:claim",
    ),
    Row(
        "memorybank",
        "plaintext",
        {
            "keepers": [
                "plaintext.keepers.expiry:Expiry",
                "plaintext.keepers.digest:Digest",
                {
                    "use": "plaintext.keepers.forgetting:Forgetting",
                    "stretch": 1.0,
                    "most": 1.0,
                },
            ],
        },
        "Zhong 2023, MemoryBank, arXiv:2305.10250",
        like="hybrid",
        differs="the house's channels in place of one encoder; a floor in place of a draw",
        claim="evals.claims.memorybank:claim",
    ),
    Row(
        "memos",
        "plaintext",
        {
            "enrichers": [
                "plaintext.enrichers.items:Items",
                "plaintext.enrichers.working:Working",
            ],
            "channels": {
                "keys": ("plaintext.indexes.keys:Keys", 0.2),
            },
            "keepers": [
                "plaintext.keepers.expiry:Expiry",
                "plaintext.keepers.capacity:Capacity",
                "plaintext.keepers.monitors:Monitors",
                "plaintext.keepers.tree:Tree",
                "plaintext.keepers.forgetting:Forgetting",
            ],
        },
        (
            "Li 2025, MemOS: A Memory OS for AI System, arXiv:2507.03724; the text memory and the "
            "scheduler of MemTensor/MemOS"
        ),
        like="hybrid",
        differs=(
            "messages are kept and searched beside the items; what gives way is archived; the log "
            "is the scheduler's queue; activation memory is made by promote, attach and schedule "
            "for one model, and ends with its text; rules where no model is"
        ),
        claim="evals.claims.memos:claim",
    ),
    Row(
        "mirix",
        "plaintext",
        {
            "sealer": "plaintext.sealers.vault:Vault",
            "enrichers": [
                "plaintext.enrichers.stores:Stores",
            ],
            "router": {
                "use": "plaintext.routers.topic:Topic",
                "reader": {
                    "use": "plaintext.routers.question:Question",
                },
            },
            "channels": {
                "core": ("plaintext.indexes.kinds:Kinds", 0.001),
            },
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
                "plaintext.refiners.bridges:Bridges",
                "plaintext.refiners.stores:Stores",
            ],
            "packer": "plaintext.packers.stores:Stores",
        },
        "Wang 2025, MIRIX: Multi-Agent Memory System for LLM-Based Agents, arXiv:2507.07957",
        like="hybrid",
        differs=(
            "rules or one question to a model sort messages, in place of six agents; messages are "
            "kept and searched beside the stores; secrets are encrypted; screenshots by OCR"
        ),
        claim="evals.claims.mirix:claim",
    ),
    Row(
        "qa-memory",
        "plaintext",
        {
            "enrichers": ["plaintext.enrichers.pairs:Pairs"],
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
                "plaintext.refiners.spread:Spread",
                {"use": "plaintext.refiners.bridges:Bridges", "common": 0.1},
            ],
        },
        "Chen 2023, QA-Memory (QAMAT), arXiv:2204.04581",
        like="hybrid",
        differs=(
            "no trained reader: pairs are texts beside what was said, made and read again by "
            "rules; the second round follows names"
        ),
        claim="evals.claims.qa_memory:claim",
    ),
    Row(
        "raw-bm25",
        "plaintext",
        {
            "extractors": [],
            "consolidator": "plaintext.consolidators.functional:Functional",
            "router": "plaintext.routers.question:Question",
            "channels": {
                "words": (
                    {
                        "use": "plaintext.indexes.lexical:Lexical",
                        "k1": 1.5,
                        "b": 0.75,
                        "kernel": {
                            0: 1.0,
                        },
                    },
                    1.0,
                ),
            },
            "refiners": [],
            "packer": "plaintext.packers.chronological:Chronological",
            "confidence": "plaintext.confidence:Confidence",
            "scale": 1.0,
            "abstain_below": 0.0,
            "keepers": [
                "plaintext.keepers.expiry:Expiry",
            ],
        },
        "Robertson 2009, The Probabilistic Relevance Framework: BM25 and Beyond",
        differs="stemmed words; statistics of the scope that is searched",
    ),
    Row(
        "scm",
        "plaintext",
        {
            "router": {
                "use": "plaintext.routers.need:Need",
                "reader": {
                    "use": "plaintext.routers.question:Question",
                },
            },
            "channels": {
                "recency": ("plaintext.indexes.recency:Recency", 0.3),
            },
            "packer": "plaintext.packers.forms:Forms",
        },
        "Wang 2023, Self-Controlled Memory, arXiv:2304.13343",
        like="hybrid",
        differs="the gate and the shorter forms follow rules; the house's channels beside recency",
        claim="evals.claims.scm:claim",
    ),
    Row(
        "second-me",
        "plaintext",
        {
            "enrichers": ["plaintext.enrichers.conclusions:Conclusions"],
            "keepers": [
                "plaintext.keepers.expiry:Expiry",
                "plaintext.keepers.profile:Profile",
                "plaintext.keepers.forgetting:Forgetting",
            ],
        },
        "Shang 2024, AI-native Memory, arXiv:2406.18312; Wei 2025, Second Me, arXiv:2503.08102",
        like="hybrid",
        differs=(
            "the notes (L0) and what is written of them (L1); no model is trained on them (L2); "
            "groups are counted, conclusions join two facts, biographies are made of facts"
        ),
        claim="evals.claims.second_me:claim",
    ),
    Row(
        "tim",
        "plaintext",
        {
            "enrichers": [
                "plaintext.enrichers.thoughts:Thoughts",
            ],
            "channels": {
                "meaning": ("plaintext.indexes.hashing:Hashing", 0.7),
            },
        },
        "Liu 2023, Think-in-Memory, arXiv:2311.08719",
        like="hybrid",
        differs="messages are kept beside the thoughts; slots in place of buckets organise them",
        claim="evals.claims.tim:claim",
    ),
)
