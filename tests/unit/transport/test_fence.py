import platform

import pytest

from zbus.transport import _fence as fence_module


@pytest.mark.parametrize(
    ("machine", "ordered"),
    [
        ("x86_64", True),
        ("AMD64", True),
        ("i686", True),
        ("aarch64", False),
        ("arm64", False),
        ("riscv64", False),
    ],
)
def test_only_x86_needs_no_fence(machine, ordered):
    assert fence_module.is_ordered(machine) is ordered


def test_this_machine_has_the_fence_that_it_needs():
    is_free = fence_module.is_ordered(platform.machine())
    assert (fence_module.fence is fence_module._no_fence) is is_free


def test_the_lock_is_free_after_a_fence():
    fence_module._fence_by_lock()
    fence_module._fence_by_lock()
    assert not fence_module._TURN.locked()
