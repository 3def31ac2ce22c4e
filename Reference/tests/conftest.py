"""Makes the reference importable, and gives every random test one seed that can be set from outside."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SEED = int(os.environ.get("EVIDENT_TEST_SEED", "20251121"))


@pytest.fixture
def rng():
    import numpy as np

    print(f"EVIDENT_TEST_SEED={SEED}")
    return np.random.default_rng(SEED)
