import pytest

from player import Player


@pytest.fixture(scope="session")
def player(request):
    """All chapters that this run has, begun at once."""
    modules = []
    for item in request.session.items:
        if hasattr(item.module, "play") and item.module not in modules:
            modules.append(item.module)
    player = Player(modules)
    player.launch()
    yield player
    player.finish()


@pytest.fixture
def played(player, request):
    """Waits until this test's chapter has been played; its failure is this test's."""
    return lambda: player.wait(request.module.__name__)
