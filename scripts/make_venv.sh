#!/bin/sh
# Make the virtual environment named by the first argument, unless it is there and works.
# PYTHON=... chooses the interpreter; otherwise the first one that is 3.11 or newer.
set -eu
venv=${1:?usage: make_venv.sh FOLDER}
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

if "$venv/bin/python" -c "$new_enough" 2>/dev/null && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if "$candidate" -c "$new_enough" 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Trefpunt needs Python 3.11 or newer, and found none under: ${PYTHON:-python3, python3.11 to python3.14, python}." >&2
    echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi

# Debian's Python without python3-venv makes half an environment and then fails: ask before.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python cannot make a virtual environment: its venv module is missing." >&2
    echo "Install it (Debian, Ubuntu: apt-get install python3-venv) and run the command again." >&2
    exit 1
fi

echo "Making $venv with $("$python" --version) ..."
exec "$python" -m venv --clear "$venv"
