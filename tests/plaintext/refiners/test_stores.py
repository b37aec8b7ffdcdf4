"""Each store gives its best, and core is always among what is packed."""

from engram import Memory


def test_core_is_shown_whatever_is_asked() -> None:
    """Behind sixty messages that fit the query better."""
    with Memory.open(":memory:", preset="mirix", embedder="none") as memory:
        memory.add("I am a nurse.")
        memory.add([f"The boat number {at} is red." for at in range(60)])

        shown = memory.context("Which red boat is number 7?", tokens=5_000)["text"]
        best = memory.search("Which red boat is number 7?", top_k=1)["results"][0]["memory"]

    assert "I am a nurse." in shown
    assert "boat number 7" in best
