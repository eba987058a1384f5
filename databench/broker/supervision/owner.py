"""The reports and questions of supervisors to the broker."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ...protocol import messages as m
from .kernelspec import KernelSpec

Kernel = TypeVar("Kernel", contravariant=True)  # a supervisor, which imports this


class Owner(Protocol[Kernel]):
    """The part of the broker that a supervisor needs (`broker.kernels`)."""

    mark: str

    @property
    def endpoint(self) -> str:
        """Where a kernel that starts now connects to."""

    def renew_endpoint(self) -> None:
        """See to it that the endpoint is there.

        Raises:
            OSError: It is not, and another one cannot be made.
        """

    def read_kernelspec(self, name: str) -> KernelSpec:
        """The kernel spec of that name as its file is now; one that cannot be used says why."""

    def send(self, kernel: Kernel, message: m.Message) -> bool:
        """Send to the kernel's current generation."""

    def is_read(self, kernel: Kernel) -> bool:
        """Whether all that this kernel sent, which has ended, was read and handled."""

    def kernel_spawned(self, kernel: Kernel, pgid: int) -> None:
        """A process began."""

    def kernel_reaped(self, pgid: int) -> None:
        """A process and its group ended."""

    def kernel_ready(self, kernel: Kernel) -> None:
        """It sent hello: welcome it and open its sessions."""

    def kernel_lost(self, kernel: Kernel, generation: int) -> None:
        """That generation of it ended: `kernel.reason` has the cause; end what it had."""

    def kernel_changed(self, kernel: Kernel) -> None:
        """Its state is to be shown to pages."""
