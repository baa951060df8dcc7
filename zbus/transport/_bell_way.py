"""A reader's way from messages to the ring's board and back, without a gap or a repeat (spec 9)."""

from __future__ import annotations

from collections.abc import Callable

from zbus.transport._board import BoardReader
from zbus.wire import Origin

# A `seq` this far behind the last one is no old notice but a publisher that counts anew.
REPEAT_WINDOW = 1_024


class BellWay:
    """One camera's board: not used, asked for, used, or about to be left.

    `board` is there while notices are to be read from it, always before a message that came meanwhile is
    looked at: what is on the board was put there before any message of it was sent. `tell` subscribes to
    the bell's topic and to that of the ring's notices.
    """

    def __init__(self, tell_bell: Callable[[bool], None], tell_ring: Callable[[bool], None]) -> None:
        self.board: BoardReader | None = None
        self._tell_bell, self._tell_ring = tell_bell, tell_ring
        self._is_asked = self._is_leaving = False
        self._session, self._seq = "", -1

    def ask(self) -> None:
        """Have the publisher use its board, from when on notices of the ring are looked for on it."""
        if not self._is_asked:
            self._is_asked = True
            self._tell_bell(True)

    def leave(self) -> None:
        """Go back to messages; the board is read until the first of them comes."""
        if self.board is not None:
            self._is_leaving = True
            self._tell_ring(True)
        else:
            self.drop()

    def drop(self) -> None:
        """Have done with the board at once."""
        self.board, self._is_leaving = None, False
        if self._is_asked:
            self._is_asked = False
            self._tell_bell(False)

    def note(self, session: str, seq: int) -> None:
        """Remember what was taken from the board."""
        self._session, self._seq = session, seq

    def pass_on(self, origin: Origin, data: bytes, board: BoardReader | None, *, by_bell: bool) -> bool:
        """Look at a notice that came as a message, `data`, of the ring with this `board`.

        False where it was on the board, and was taken from there.
        """
        behind = self._seq - origin.seq
        is_new = origin.session != self._session or not 0 <= behind < REPEAT_WINDOW
        if self._is_leaving and not by_bell:
            self.drop()
        elif self._is_asked and not self._is_leaving and board is not self.board:
            self._change(data, board)
        if is_new:
            self.note(origin.session, origin.seq)
        return is_new

    def _change(self, data: bytes, board: BoardReader | None) -> None:
        if board is not None and board.find(data):
            # Why only now: the next notice is on the board for sure.
            self.board = board
            self._tell_ring(False)
        elif self.board is not None:
            self.board = None
            self._tell_ring(True)
