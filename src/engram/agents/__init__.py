"""Agents whose working memory is bounded: loops around any language model.

``constant`` answers many questions from a context that does not grow, by the rules of
``extractive`` where no model is; ``packing`` lays what it did out as one training sequence.
``control`` carries out the instructions of a ``registry`` with a fresh context for each: ``asking``
reaches the model, ``tools`` change ``files``, ``evaluators`` check them, and a ``program`` holds
the state, on the disk too.
"""
