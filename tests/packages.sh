# shellcheck shell=bash
# shellcheck disable=SC2034
# The Debian packages that quern needs: the one list, sourced by tests/run and bench/demo.
#
# An entry is PACKAGE or PACKAGE:COMMAND; the second form is also met by a COMMAND that was
# installed in another way. Alternatives stand apart by '|', the first is the one installed.

# To build the library and the program.
packages_build=(
    'gcc:gcc|clang:clang' libc6-dev cmake:cmake ninja-build:ninja 'pkgconf:pkg-config|pkg-config'
    libstemmer-dev libzstd-dev zlib1g-dev libutf8proc-dev libxxhash-dev
)
# To test them; the tools make compressed inputs and read the libraries' symbols.
packages_test=(libcriterion-dev zstd:zstd gzip:gzip binutils:nm)
# For single options of tests/run.
packages_coverage=(gcovr:gcovr)
# (bench/rivals/fts5.c is read, too.)
packages_tidy=(clang-tidy:clang-tidy cppcheck:cppcheck libsqlite3-dev)
packages_fuzz=(clang:clang libclang-rt-dev)
# To measure other engines beside quern (bench/rivals/make, which does without what is missing).
packages_rivals=(
    libsqlite3-dev 'g++:c++|clang:c++' libxapian-dev default-jdk-headless:javac liblucene8-java
)

# package_present ENTRY
package_present() {
    local alternative package
    local -a alternatives
    IFS='|' read -ra alternatives <<<"$1"
    for alternative in "${alternatives[@]}"; do
        package=${alternative%%:*}
        [[ $alternative == *:* ]] && command -v "${alternative#*:}" >/dev/null && return 0
        # The state is asked for by name: a removed package whose configuration stays is unlike it.
        [[ $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null) == installed* ]] &&
            return 0
    done
    return 1
}

# packages_need LOG ENTRY...: installs what is missing where that needs no password; else names it
# and returns 2. Quiet where nothing is missing. What apt-get says goes to the file LOG.
packages_need() {
    local log=$1 entry first as_root=() missing=()
    shift
    [[ -n ${QUERN_NO_INSTALL:-} ]] && return 0
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian: what to install is listed in tests/packages.sh." >&2
        return 0
    fi
    for entry in "$@"; do
        package_present "$entry" && continue
        first=${entry%%|*}
        missing+=("${first%%:*}")
    done
    [[ ${#missing[@]} -eq 0 ]] && return 0

    if [[ $EUID -ne 0 ]]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            as_root=(sudo -n)
        else
            echo "Missing packages: ${missing[*]}" >&2
            echo "Install them with:" >&2
            echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
            return 2
        fi
    fi
    echo "installing ${missing[*]}"
    local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y
        -o DPkg::Lock::Timeout=300)
    mkdir -p "$(dirname "$log")"
    # A failed update is no reason to stop: the lists at hand may do.
    "${apt[@]}" update >"$log" 2>&1 </dev/null || true
    if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        echo "Could not install the missing packages; the line that failed (as root):" >&2
        echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
        return 2
    fi
}
