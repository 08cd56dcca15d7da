"""A working folder and a configuration folder for settings."""

import pytest

from ztfml.config.files import user_file


@pytest.fixture
def working(tmp_path, monkeypatch):
    """An empty working folder; the user has no settings yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def write(working):
    """A function that writes ztfml.toml of the working folder or of the user."""

    def write_file(text, of_user=False):
        path = user_file() if of_user else working / "ztfml.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file
