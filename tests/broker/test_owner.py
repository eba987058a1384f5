"""What supervisors ask for is what the broker offers."""

import inspect

from databench.broker import Broker
from databench.broker.owner import Owner


def test_the_broker_is_an_owner():
    wanted = {name: method for name, method in vars(Owner).items() if inspect.isfunction(method)}
    wanted = {name: method for name, method in wanted.items() if not name.startswith("_")}
    assert len(wanted) == 8
    for name, method in wanted.items():
        assert inspect.signature(getattr(Broker, name)) == inspect.signature(method), name
