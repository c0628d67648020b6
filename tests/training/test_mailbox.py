"""The mailbox keeps the newest item, whoever puts and takes."""

from __future__ import annotations

import threading

from workbench.training.mailbox import Mailbox


def test_taking_empties() -> None:
    box: Mailbox[int] = Mailbox()
    assert box.take() is None
    box.put(1)
    assert box.take() == 1
    assert box.take() is None


def test_the_newest_wins() -> None:
    box: Mailbox[int] = Mailbox()
    box.put(1)
    box.put(2)
    assert box.take() == 2


def test_threads_see_each_item_at_most_once_and_in_order() -> None:
    box: Mailbox[int] = Mailbox()
    last, taken = 20_000, []
    writer = threading.Thread(target=lambda: [box.put(i) for i in range(1, last + 1)])
    writer.start()
    while not taken or taken[-1] != last:
        item = box.take()
        if item is not None:
            taken.append(item)
    writer.join()
    assert taken == sorted(set(taken))
    assert box.take() is None
