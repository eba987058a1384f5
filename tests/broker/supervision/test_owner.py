"""What supervisors ask for is what the broker's `Kernels` offers."""

import inspect

from databench.broker.kernels import Kernels
from databench.broker.supervision.owner import Owner


def test_the_brokers_kernels_are_an_owner():
    wanted = {name: method for name, method in vars(Owner).items() if inspect.isfunction(method)}
    wanted = {name: method for name, method in wanted.items() if not name.startswith("_")}
    assert len(wanted) == 9
    for name, method in wanted.items():
        # Their types are for mypy: `Kernels` hands itself to a supervisor.
        offered = inspect.signature(getattr(Kernels, name))
        assert list(offered.parameters) == list(inspect.signature(method).parameters), name
