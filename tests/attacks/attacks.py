"""Every attack, in the order in which they are carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from . import connections, kernels, pages
from .world import World


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        carry_out: Does it.
        options: Further options of the server.
    """

    carry_out: Callable[[World], Awaitable[None]]
    options: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Its function's name, with dashes."""
        return self.carry_out.__name__.replace("_", "-")


ATTACKS = (
    Attack(connections.hold_idle_connections),
    Attack(connections.send_endless_headers),
    Attack(connections.send_unasked_bodies),
    Attack(connections.send_many_parts),
    Attack(pages.send_small_frames),
    Attack(pages.send_junk_before_connect),
    Attack(pages.leave_messages_unfinished),
    Attack(pages.join_without_reading),
    Attack(pages.send_one_surrogate),
    Attack(pages.leave_results_unseen),
    Attack(pages.cancel_a_hung_kernel),
    Attack(kernels.print_short_lines),
    Attack(kernels.send_unknown_kinds),
    Attack(kernels.forge_frames),
    Attack(kernels.send_junk),
    Attack(kernels.take_names),
    Attack(kernels.die_beside_a_flow),
    Attack(kernels.leave_daemons),
    Attack(kernels.die_at_once),
    Attack(kernels.die_at_the_start),
)
