"""Registries: extension points that are filled at import and read-only afterwards.

Responsible for names, look-up and advice on a misspelt name; knows nothing of what is registered.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from workbench.core.errors import InputError

T = TypeVar("T")

#: More names than this help nobody.
_MOST_LISTED = 40


class Registry(Generic[T]):
    """Things of one kind, by name, in the order of registration.

    Parameters
    ----------
    kind
        What one entry is called in messages, for example ``"layer"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}
        self._watchers: list[Callable[[str, T], object]] = []

    def add(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers its argument as `name`; a name is taken once."""

        def register(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered already")
            for tell in self._watchers:
                tell(name, entry)  # one that refuses keeps the entry out
            self._entries[name] = entry
            return entry

        return register

    def watch(self, tell: Callable[[str, T], object]) -> None:
        """Call `tell(name, entry)` for every entry there is, and for every one to come."""
        self._watchers.append(tell)
        for name, entry in self.items():
            tell(name, entry)

    def __getitem__(self, name: str) -> T:
        """Return the entry called `name`.

        Raises
        ------
        InputError
            No entry has that name; the message lists those that exist.
        """
        try:
            return self._entries[name]
        except KeyError:
            raise InputError(
                f"There is no {self.kind} called {name!r}.", self.advice(name)
            ) from None

    def name_of(self, entry: object) -> str:
        """Return the name under which `entry` (or its class) was registered."""
        for name, known in self._entries.items():
            if known is entry or known is type(entry):
                return name
        raise KeyError(f"{entry!r} is not a registered {self.kind}")

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[str, T]]:
        """Return (name, entry) pairs in the order of registration."""
        return list(self._entries.items())

    def remove(self, name: str) -> None:
        """Forget `name`; for extensions that are unloaded, as tests do."""
        del self._entries[name]

    def advice(self, name: str) -> str:
        """Return the name that was probably meant instead of `name`, else all names."""
        close = difflib.get_close_matches(name, self._entries, n=1)
        if close:
            return f"Did you mean {close[0]!r}?"
        if len(self) > _MOST_LISTED:
            return f"None of the {len(self)} names that there are is like it."
        return f"Known: {', '.join(sorted(self._entries))}."
