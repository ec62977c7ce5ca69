# Sourced by ./demo and ./test: a virtual environment in the clone, updated only after pyproject.toml or
# requirements.lock has changed.

# Without bytecode every start of Python compiles everything again; some shells forbid bytecode.
unset PYTHONDONTWRITEBYTECODE

# Prints the newest suitable Python, or nothing.
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# Installs the module venv where a Debian-like system keeps it in a separate package.
ensure_venv_module() {
    local python="$1"
    "$python" -c 'import venv, ensurepip' 2>/dev/null && return
    local package
    package="$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package …" >&2
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null && return
    fi
    echo "Error: Python's venv module is missing." >&2
    echo "Type: sudo apt-get install $package   (or install your system's package of that name), then try again." >&2
    exit 2
}

# Installs packages with uv: the one on the path, or the one that pip fetches. Without uv, or if it fails, pip installs.
install_packages() {
    local venv="$1" uv
    shift
    uv="$(command -v uv || fetched_uv "$venv" || true)"
    # uv trusts only its own authorities unless it is told to; networks of companies often have one of theirs.
    if [ -n "$uv" ] && UV_SYSTEM_CERTS=1 "$uv" pip install --python "$venv/bin/python" "$@"; then
        return
    fi
    "$venv/bin/python" -m pip install --disable-pip-version-check "$@"
}

# Prints the path of the uv that pip puts into a virtual environment. Fails if pip cannot.
fetched_uv() {
    local venv="$1"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv >/dev/null 2>&1 && echo "$venv/bin/uv"
}

# ensure_environment ROOT EXTRA: creates ROOT/.venv and installs the package with an extra, in place.
ensure_environment() {
    local root="$1" extra="$2" venv="$1/.venv" python wanted
    wanted="$(cat "$root/pyproject.toml" "$root/requirements.lock" | cksum)"
    # The extra "dev" includes "all".
    if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null; then
        [ "$(cat "$venv/.installed-$extra" 2>/dev/null)" = "$wanted" ] && return
        [ "$extra" = all ] && [ "$(cat "$venv/.installed-dev" 2>/dev/null)" = "$wanted" ] && return
    else
        python="$(find_python)"
        if [ -z "$python" ]; then
            echo "Error: Python 3.11 or newer was not found." >&2
            echo "Type: sudo apt-get install python3   (or install it your way), then try again." >&2
            exit 2
        fi
        ensure_venv_module "$python"
        echo "Creating $venv …" >&2
        rm -rf "$venv"
        "$python" -m venv "$venv"
    fi
    echo "Installing dependencies (a minute or two, only once) …" >&2
    install_packages "$venv" --quiet --editable "$root[$extra]" --constraint "$root/requirements.lock"
    printf '%s\n' "$wanted" >"$venv/.installed-$extra"
}
