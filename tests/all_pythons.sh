#!/usr/bin/env bash
# Run the tests on each supported Python that is installed; report the others as skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

# Print the path of a working interpreter of a version, from PATH or from pyenv.
find_python() {
    local path
    for path in "$(command -v "python$1" || true)" \
        "$(pyenv prefix "$(pyenv latest "$1" 2>/dev/null)" 2>/dev/null || true)/bin/python$1"; do
        if [ -x "$path" ] && "$path" -c "" 2>/dev/null; then
            echo "$path"
            return
        fi
    done
}

failed=""
for version in 3.11 3.12 3.13; do
    python=$(find_python "$version")
    if [ -z "$python" ]; then
        echo "Python $version: not installed, skipped"
        continue
    fi
    venv="build/venv-$version"
    if [ ! -e "$venv/.ready" ] || [ pyproject.toml -nt "$venv/.ready" ] \
        || [ constraints.txt -nt "$venv/.ready" ]; then
        rm -rf "$venv"
        "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            -c constraints.txt -e '.[dev]'
        touch "$venv/.ready"
    fi
    echo "Python $version: $("$venv/bin/python" --version)"
    "$venv/bin/python" -m pytest -n 2 --dist loadfile "$@" || failed="$failed $version"
done
if [ -n "$failed" ]; then
    echo "tests failed on Python$failed"
    exit 1
fi
