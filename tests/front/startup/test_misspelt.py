"""Words that look like options or settings and are none."""

import pytest

from databench.errors import SettingError
from databench.front.startup.misspelt import find, find_slip


def test_what_looks_like_a_setting_and_is_none_is_told():
    found = find(["--sessions-grace", "5"], {"DATABENCH_SESION_GRACE_S": "5"})
    assert "did you mean '--session-grace-s'?" in found[0]
    assert "did you mean DATABENCH_SESSION_GRACE_S?" in found[1]
    words = r"no option '--prot=1'; did you mean '--port'\? If .* databench -- --prot=1"
    with pytest.raises(SettingError, match=words):
        find(["--prot=1"], {})


@pytest.mark.parametrize(
    ("word", "option"),
    [
        ("--prot", "--port"),
        ("--prot=5099", "--port"),
        ("--hst", "--host"),
        ("--porrt", "--port"),
        ("--sesion-grace-s", "--session-grace-s"),
        ("--session-garce-s", "--session-grace-s"),
        ("--port", ""),
        ("--sort", ""),
        ("--hosts", ""),
        ("--batch-size", ""),
        ("-p", ""),
        ("word", ""),
    ],
)
def test_slip_of_the_keys_names_its_option(word, option):
    assert find_slip([word, "1"]) == option


def test_what_is_the_analyses_own_is_not_complained_of():
    own = {"DATABENCH_SESSION_GRACE_S": "5", "DATABENCH_FRONT": "x", "HOME": "/"}
    assert find(["--samples", "--prot"], own) == []
    assert find([], {}) == []
