"""The newest entries of a layer as they came, in a store that grows in place."""

from torch import Tensor

from engram.activation.roles import Pager, Store


class Tail:
    """Whole keys and values, (B, G, T, D). A copy shares them until one of the two is written to.

    Args:
        pager: opens the store.
        layer: number of the layer.
    """

    def __init__(self, pager: Pager, layer: int) -> None:
        self._pager, self._layer = pager, layer
        self._store: Store = pager.open()
        self._started = self._shared = False

    @property
    def started(self) -> bool:
        """Whether anything was ever held."""
        return self._started

    def __len__(self) -> int:
        """How many tokens are held."""
        return self.view[0].shape[2] if self._started else 0

    @property
    def view(self) -> tuple[Tensor, Tensor]:
        """Keys and values; valid until the tail changes."""
        return self._store.view(self._layer)

    @property
    def nbytes(self) -> int:
        """Bytes that the store takes."""
        return self._store.committed_bytes()

    def append(self, keys: Tensor, values: Tensor) -> None:
        """Write tokens behind those that are held."""
        if self._shared:
            self._move(*self.view)
        self._store.append(self._layer, keys, values)
        self._started = True

    def replace(self, keys: Tensor, values: Tensor) -> None:
        """Hold these and nothing else; they must not be a view of what is held."""
        if self._shared:
            self._move(keys, values)
            return
        if self._started:
            self._store.release(self._layer)
        self._store.append(self._layer, keys, values)
        self._started = True

    def drop(self, count: int) -> None:
        """Forget the newest tokens."""
        if count and self._shared:
            keys, values = self.view
            self._move(keys[:, :, :-count], values[:, :, :-count])
        elif count:
            held = len(self)
            if held > count:
                self._store.release(self._layer, held - count)
            else:  # a store that holds nothing may forget of which shape it was
                keys, values = (each[:, :, :0].clone() for each in self.view)
                self._store.release(self._layer)
                self._store.append(self._layer, keys, values)

    def copy(self) -> "Tail":
        """Another with the same tokens."""
        twin = Tail(self._pager, self._layer)
        twin._store, twin._started = self._store, self._started
        twin._shared = self._shared = self._started
        return twin

    def _move(self, keys: Tensor, values: Tensor) -> None:
        """Into a store of its own; the other keeps its."""
        store = self._pager.open()
        store.append(self._layer, keys, values)
        self._store, self._shared = store, False
