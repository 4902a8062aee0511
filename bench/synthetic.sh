# shellcheck shell=bash
# Data for benchmarks where none is at hand, from quern synth; sourced by them.

# synthetic_data FOLDER N SHAPE...: FOLDER/corpus.jsonl of N documents, and FOLDER/SHAPE.tsv of 150
# queries of each shape, drawn from the first 100,000 of them. Returns 4 if that fails.
synthetic_data() {
    local folder=$1 n=$2 quern=build/release/quern shape
    shift 2
    [[ -t 2 ]] && printf '\rmaking %s documents up\e[K' "$n" >&2
    "$quern" synth -q -n "$n" -o "$folder/corpus.jsonl" &&
        head -n 100000 "$folder/corpus.jsonl" |
        "$quern" index -q --format jsonl -o "$folder/drawn.qidx" - >"$folder/err" || return 4
    for shape; do
        "$quern" synth --queries 150 --shape "$shape" "$folder/drawn.qidx" >"$folder/$shape.tsv" || return 4
    done
    rm -r "$folder/drawn.qidx"
}
