# shellcheck shell=bash
# What the scripts that measure share; sourced by them before they read their arguments.
#
# QUERN_DATA names a folder of collections (default: ../shared/data beside the project), QUERN_BUILD
# the folder of the programs (default: build/release).

# wrong MESSAGE: ends the script because of how it was called.
wrong() {
    echo "bench/${0##*/}: $1" >&2
    echo "See 'bench/${0##*/} --help'." >&2
    exit 2
}

# readable FILE: its path from the root.
readable() {
    [[ -f $1 && -r $1 ]] || wrong "cannot read $1"
    realpath -- "$1"
}

# start PROGRAM...: goes to the project's root, makes the folder $trash, which is removed at the end,
# and sets $data, $build and $quern; each PROGRAM must be in $build. Relative paths in the environment
# are meant from where the caller stands.
# shellcheck disable=SC2034
start() {
    local program
    [[ -n ${QUERN_DATA:-} && -d $QUERN_DATA ]] && QUERN_DATA=$(cd "$QUERN_DATA" && pwd)
    [[ -n ${QUERN_BUILD:-} ]] && QUERN_BUILD=$(realpath -m -- "$QUERN_BUILD")
    cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 4
    exec </dev/null
    export LC_ALL=C.UTF-8
    data=${QUERN_DATA:-../shared/data} build=${QUERN_BUILD:-build/release}
    quern=$build/quern
    for program; do
        [[ -x $build/$program ]] ||
            wrong "$build/$program is missing: cmake --preset release && cmake --build --preset release"
    done
    trash=$(mktemp -d) || exit 4
    trap 'rm -rf "$trash"' EXIT
    trap 'exit 130' INT TERM HUP
}

# need FILE...: ends the script, which is no failure, if one is not there.
need() {
    local file
    for file; do
        [[ -r $file ]] || { echo "skipped: there is no $file${offer:+ ($offer)}" >&2; exit 0; }
    done
}

# tell MESSAGE: on a terminal, what is going on, in place of what was told before.
tell() {
    [[ -t 2 ]] && printf '\r%s\e[K' "$1" >&2
    [[ -t 2 && -z $1 ]] && printf '\r' >&2
    return 0
}

# ---- documents and queries -----------------------------------------------------------------------

# first COUNT FILE: so many lines of a corpus, or all. Says so and returns 4 where it is damaged before
# that; that unpacking ends because there are enough is no failure.
first() {
    local unpack=(cat) status
    case $2 in
    *.zst) unpack=(zstd -dcq) ;;
    *.gz) unpack=(gzip -dc) ;;
    esac
    # awk's code is 3 if there were less.
    "${unpack[@]}" -- "$2" 2>"$trash/unpack" | awk -v n="$1" -v count="$trash/count" '
        { print }
        NR == n { exit }
        END { print NR >count; exit NR == n ? 0 : 3 }'
    status=("${PIPESTATUS[@]}")
    [[ ${status[1]} -eq 0 || (${status[1]} -eq 3 && ${status[0]} -eq 0) ]] && return
    if [[ ${status[1]} -eq 3 ]]; then
        echo "bench/${0##*/}: $2 is damaged after $(<"$trash/count") documents: $(tail -n 1 "$trash/unpack")" >&2
    else
        echo "bench/${0##*/}: the first documents of $2 cannot be written" >&2
    fi
    return 4
}

# synthetic_queries FOLDER N SHAPE...: FOLDER/SHAPE.tsv of 150 queries of each shape, drawn from the
# first 100,000 documents of quern synth, or from N if that is less. Ends the script if that fails.
synthetic_queries() {
    local folder=$1 n=$2 drawn=$trash/drawn.qidx shape
    shift 2
    tell 'drawing queries'
    "$quern" synth -q -n $((n < 100000 ? n : 100000)) |
        "$quern" index -q --format jsonl -o "$drawn" - >"$trash/err" 2>&1 || { cat "$trash/err" >&2; exit 4; }
    for shape; do
        "$quern" synth --queries 150 --shape "$shape" "$drawn" >"$folder/$shape.tsv" 2>"$trash/err" ||
            [[ $? -eq 1 && -s $folder/$shape.tsv ]] || { cat "$trash/err" >&2; exit 4; }
    done
    rm -r "$drawn"
}

# keep_in FOLDER ABOUT: makes a folder for indexes that a later run takes as they are; one that holds
# those of something else is refused. ABOUT tells of what.
keep_in() {
    mkdir -p -- "$1" || exit 4
    if [[ -e $1/about ]]; then
        [[ $(<"$1/about") == "$2" ]] || wrong "$1 holds indexes of something else: $(<"$1/about")"
    elif [[ -n $(ls -A -- "$1") ]]; then
        wrong "$1 holds something else"
    else
        printf '%s\n' "$2" >"$1/about" || exit 4
    fi
}

# about_file FILE: a line that tells it from others.
about_file() {
    stat -c '%n, %s bytes, of %y' -- "$(realpath -- "$1")"
}

# ---- results -------------------------------------------------------------------------------------

# number NAME: that member of the JSON object in $said.
# shellcheck disable=SC2154
number() {
    sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" <<<"$said"
}

# shape_of FILE: what queries are called: their file's name, without what JSON would have to escape.
shape_of() {
    local name=${1##*/}
    name=${name%.*}
    printf '%s' "${name//[^[:alnum:]. _+-]/_}"
}

# bench_lines LABELS FILE: of what quern bench --json printed into FILE, the line of all queries (the
# last one) for each k, with LABELS ("part":"growth","shape":"union") in place of its shape and
# evaluator.
bench_lines() {
    awk -v labels="$1" '
        match($0, /"k":[0-9]+/) {
            k = substr($0, RSTART + 4, RLENGTH - 4)
            if (!(k in line))
                order[++n] = k
            match($0, /"queries":.*/)
            line[k] = substr($0, RSTART)
        }
        END {
            for (i = 1; i <= n; i++)
                printf "{\"v\":1,%s,\"k\":%s,%s\n", labels, order[i], line[order[i]]
        }' "$2"
}

# For awk: the median of numbers in a string with spaces between them, and a member of a line of JSON.
# shellcheck disable=SC2016,SC2034
awk_functions='
    function median(list,    v, m, i, j, t) {
        m = split(list, v, " ")
        for (i = 2; i <= m; i++)
            for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        return (v[int((m + 1) / 2)] + v[int(m / 2) + 1]) / 2
    }
    function member(name,    at) {
        at = index($0, "\"" name "\":")
        if (at == 0)
            return ""
        at = substr($0, at + length(name) + 3)
        if (at ~ /^"/)
            return substr(at, 2, index(substr(at, 2), "\"") - 1)
        match(at, /^[0-9.e+-]+/)
        return substr(at, 1, RLENGTH)
    }'
