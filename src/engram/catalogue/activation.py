"""Memories of keys and values: presets for ``MemoryCache.for_model``, joined by ``+``."""

from engram.catalogue.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "adakv",
        "activation",
        {"budget": "activation.budgets.adaptive:Adaptive"},
        "Feng 2025, Ada-KV, NeurIPS 2025, arXiv:2407.11550",
        like="snapkv",
        differs="heads that keep fewer entries are filled up and masked, which takes their bytes",
    ),
    Row(
        "expected-attention",
        "activation",
        {"scorer": "activation.scorers.expected:Expected"},
        "Devoto 2025, Expected Attention, arXiv:2510.00636",
        like="full",
        differs="queries are turned back from what the cache is told, not made of hidden states",
    ),
    Row(
        "flashattention",
        "activation",
        {},
        "Dao 2022, FlashAttention, NeurIPS 2022, arXiv:2205.14135",
        differs=("on a CPU torch's own kernel does what it can, tiles do the rest; no dropout"),
        claim="evals.claims.flashattention:claim",
    ),
    Row(
        "full",
        "activation",
        {
            "budget": "activation.budgets.uniform:Uniform",
            "pager": "activation.pagers.growing:Growing",
        },
        "Vaswani 2017, Attention Is All You Need, arXiv:1706.03762; every key and value is kept",
        differs="what is held grows in place and is not joined anew at every token",
    ),
    Row(
        "h2o",
        "activation",
        {"scorer": "activation.scorers.heavy_hitters:HeavyHitters"},
        "Zhang 2023, H2O, NeurIPS 2023, arXiv:2306.14048",
        like="full",
        differs="heads that share a key share its entries",
    ),
    Row(
        "infllm",
        "activation",
        {
            "selector": "activation.selectors.units:Units",
            "offload": "activation.offload:Offload",
        },
        "Xiao 2024, InfLLM, NeurIPS 2024, arXiv:2402.04617",
        like="full",
        differs=(
            "rows choose by themselves; blocks can be known by the bounds of their keys, and lie "
            "in a file or packed"
        ),
        claim="evals.claims.infllm:claim",
    ),
    Row(
        "key-norm",
        "activation",
        {"scorer": "activation.scorers.key_norm:KeyNorm"},
        "Devoto 2024, L2 norm of keys, EMNLP 2024, arXiv:2406.11430",
        like="full",
    ),
    Row(
        "keyformer",
        "activation",
        {"scorer": "activation.scorers.keyformer:Keyformer"},
        "Adnan 2024, Keyformer, MLSys 2024, arXiv:2403.09054",
        like="full",
        differs="rows have scores of their own; noise is drawn by the positions of query and key",
        claim="evals.claims.keyformer:claim",
    ),
    Row(
        "kivi",
        "activation",
        {"codec": "activation.codecs.asymmetric:Asymmetric"},
        "Liu 2024, KIVI, ICML 2024, arXiv:2402.02750",
        like="full",
        differs=(
            "keys and values leave the residual together, in whole groups; no value is off by more "
            "than half a step as stored; padding has no part in a group's range"
        ),
        claim="evals.claims.kivi:claim",
    ),
    Row(
        "pyramidkv",
        "activation",
        {"budget": "activation.budgets.pyramid:Pyramid"},
        "Cai 2024, PyramidKV, arXiv:2406.02069",
        like="snapkv",
        differs="the counts of all layers sum up to the budget exactly",
    ),
    Row(
        "random",
        "activation",
        {"scorer": "activation.scorers.chance:Chance"},
        "Jegou 2024, kvpress, github.com/NVIDIA/kvpress; the baseline",
        like="full",
        differs="an entry's lot is drawn once, by its position",
    ),
    Row(
        "sirllm",
        "activation",
        {"scorer": "activation.scorers.surprisal:Surprisal"},
        "Yao 2024, SirLLM, ACL 2024, arXiv:2405.12528",
        like="full",
        differs=(
            "the surprise is that of the token itself; entries go whenever there are too many, not "
            "only when a turn begins"
        ),
        claim="evals.claims.sirllm:claim",
    ),
    Row(
        "snapkv",
        "activation",
        {"scorer": "activation.scorers.observed_window:ObservedWindow"},
        "Li 2024, SnapKV, NeurIPS 2024, arXiv:2404.14469",
        like="full",
        differs=(
            "the window moves on with what is generated, so that eviction can go on, too; it takes "
            "at most half of what is kept"
        ),
    ),
    Row(
        "streaming",
        "activation",
        {"scorer": "activation.scorers.sinks:Sinks"},
        "Xiao 2024, StreamingLLM, ICLR 2024, arXiv:2309.17453",
        like="full",
    ),
    Row(
        "think",
        "activation",
        {"thinner": "activation.codecs.channels:Channels"},
        "Xu 2025, ThinK, ICLR 2025, arXiv:2407.21018",
        like="full",
        differs="channels are really dropped, one choice for all heads that share a key",
        claim="evals.claims.think:claim",
    ),
    Row(
        "tova",
        "activation",
        {"scorer": "activation.scorers.last_query:LastQuery"},
        "Oren 2024, TOVA, EMNLP 2024, arXiv:2401.06104",
        like="full",
    ),
    Row(
        "vattention",
        "activation",
        {"pager": "activation.pagers.virtual:Virtual"},
        "Prabhu 2025, vAttention, ASPLOS 2025, arXiv:2405.04437",
        like="full",
        differs="a CPU's system gives the pages; each layer has a range of addresses of its own",
        claim="evals.claims.vattention:claim",
    ),
)
