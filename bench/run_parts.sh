# shellcheck shell=bash
# The parts of bench/run, which sources this: for each, prepare_PART, which makes what it needs, and
# round_PART, which measures once and adds lines to $data/PART.jsonl (bench/report/results.h has their form).
# A part with a function once_PART is called in the first round only.

# progress TEXT: on a terminal in place of what was there, else a line.
progress() {
    if [[ -t 2 ]]; then
        printf '\r%s\e[K' "$1" >&2
    else
        printf '%s  (%d s)\n' "$1" "$((SECONDS - began))" >&2
    fi
}

# What the rounds that are left may take, once each part was measured.
time_left() {
    local part ms=0
    [[ $round -gt 1 ]] || return 0
    for part in "${wanted[@]}"; do
        [[ ${times[$part]} -gt $round ]] && ms=$((ms + took[$part] * (times[$part] - round)))
        [[ ${times[$part]} -ge $round ]] && ms=$((ms + took[$part]))
    done
    printf ', about %d s left' $((ms / 1000))
}

# must COMMAND...: what it says is seen only if it fails, and then that is the end.
must() {
    "$@" >"$work/said" 2>"$work/err" && return
    cat "$work/err" >&2
    failed "failed: $*"
}

# json TEXT: as a string of JSON, without what is not printable.
json() {
    local text=${1//\\/\\\\}
    tr -cd '[:print:]' <<<"${text//\"/\\\"}"
}

# about TOPIC NAME TEXT, for tell_about.
about() {
    printf '{"v":1,"part":"about","topic":"%s","name":"%s","text":"%s"}\n' "$1" "$(json "$2")" "$(json "$3")"
}

# as_command PART COMMAND...: what is measured, as one would type it; for the page.
commands=()
as_command() {
    local part=$1
    shift
    commands+=("$part"$'\t'"$*")
}

# ---- texts ---------------------------------------------------------------------------------------

# The corpus as a plain file $work/corpus.jsonl of $n_documents, sets of queries as $work/NAME.tsv.
make_texts() {
    local collections=${QUERN_DATA:-../shared/data} sample=100 name file
    [[ -n $full ]] && sample=150
    [[ -z $documents ]] && { documents=100000; [[ -n $full ]] && documents=all; }
    [[ -z $synth && -z $corpus && ! -r $collections/passages/corpus.jsonl.zst ]] && synth=100000
    if [[ -n $synth ]]; then
        make_synthetic "$sample"
        return
    fi
    corpus=${corpus:-$collections/passages/corpus.jsonl.zst}
    progress "reading $(basename "$corpus")"
    first "$documents" "$corpus" >"$work/corpus.jsonl" || exit 4
    [[ -s $work/corpus.jsonl ]] || failed "$corpus holds nothing"
    if [[ ${#queries[@]} -eq 0 ]]; then
        queries=("$collections"/queries/{sbg-union,sbg-intersection,sbg-phrase}.tsv
            "$collections"/queries/{msmarco-passage-dev-1k,trec-terabyte05-efficiency-1k}.tsv)
    fi
    sets=()
    for file in "${queries[@]}"; do
        [[ -r $file ]] || failed "there is no $file (--queries names others)"
        name=$(basename "${file%.tsv}")
        case $name in
        msmarco-passage-dev-1k) name=question ;;
        trec-terabyte05-efficiency-1k) name=web ;;
        *) name=${name#sbg-} ;;
        esac
        # Evenly spread over all that there are.
        awk -v most="$sample" 'NR == FNR { n++; next }
            int(FNR * most / n) != int((FNR - 1) * most / n) || n <= most' "$file" "$file" >"$work/$name.tsv"
        sets+=("$name")
    done
    title="$(basename "$(dirname "$corpus")")/$(basename "$corpus")"
    measure_texts
}

# make_synthetic QUERIES
make_synthetic() {
    local shape
    progress "making $synth documents up"
    must "$quern" synth -q -n "$synth" -o "$work/corpus.jsonl"
    head -n 100000 "$work/corpus.jsonl" >"$work/drawn.jsonl"
    must "$quern" index -q -o "$work/drawn.qidx" "$work/drawn.jsonl"
    sets=(union intersection phrase question negated)
    for shape in "${sets[@]}"; do
        must "$quern" synth --queries "$1" --shape "$shape" "$work/drawn.qidx"
        mv "$work/said" "$work/$shape.tsv"
    done
    rm -r "$work"/drawn.*
    title="quern synth"
    measure_texts
}

measure_texts() {
    n_documents=$(wc -l <"$work/corpus.jsonl")
    input_bytes=$(stat -c %s "$work/corpus.jsonl")
    keep_in "$work/indexes" "$(about_file "$work/corpus.jsonl")" # as bench/growth and bench/ablation do
    title="$title, $(sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta' <<<"$n_documents") documents"
}

# need_index TUNE: the index $work/indexes/TUNE.qidx without stored texts.
need_index() {
    [[ -d $work/indexes/$1.qidx ]] && return
    progress "building an index tuned $1"
    must "$quern" index -q --no-store --tune "$1" -o "$work/indexes/$1.qidx" "$work/corpus.jsonl"
}

# ---- quern alone ---------------------------------------------------------------------------------

prepare_queries() {
    need_index balanced
    as_command queries "quern index --no-store -o x.qidx corpus.jsonl"
    as_command queries "quern bench x.qidx -q SET.tsv -k 10,1000 --runs 3 --json"
}

# bench_rows PART SET ARGUMENT...: the rows over all queries of a set, whatever their shapes are.
bench_rows() {
    local part=$1 set=$2
    shift 2
    must "$quern" bench "$work/indexes/balanced.qidx" -q "$work/$set.tsv" -k 10,1000 --json "$@"
    grep -v '"qid"' "$work/said" >"$work/rows"
    bench_lines "\"part\":\"$part\",\"set\":\"$set\"" "$work/rows"
}

round_queries() {
    local set
    for set in "${sets[@]}"; do
        bench_rows queries "$set" --runs 3 --slowest 100000 >>"$data/queries.jsonl"
        spread "$set" <"$work/said" >>"$data/distribution.jsonl"
    done
}

# spread SET: shares of queries in eight bins a factor of ten, of what quern bench --slowest lists.
spread() {
    awk -v set="$1" '
        /"qid"/ {
            match($0, /"k":[0-9]+/); k = substr($0, RSTART + 4, RLENGTH - 4)
            match($0, /"us":[0-9.]+/); us = substr($0, RSTART + 5, RLENGTH - 5)
            bin = us > 1 ? int(8 * log(us) / log(10)) : 0
            count[k, bin]++; n[k]++
            if (!(k in n_seen)) { n_seen[k]; order[++n_ks] = k }
            if (bin > last) last = bin
        }
        END {
            for (i = 1; i <= n_ks; i++)
                for (bin = 0; bin <= last + 1; bin++)
                    printf "{\"v\":1,\"part\":\"distribution\",\"set\":\"%s\",\"k\":%d,\"bin\":%d,\"from_us\":%.6g,\"share\":%.6g}\n",
                        set, order[i], bin, exp(bin / 8 * log(10)), count[order[i], bin] / n[order[i]]
        }'
}

prepare_threads() {
    need_index balanced
    as_command threads "quern bench x.qidx -q SET.tsv -k 10,1000 --runs 1 -T N --json"
}

round_threads() {
    local set threads
    for set in "${sets[@]}"; do
        for ((threads = 1; threads <= $(nproc); threads += threads < 4 ? 1 : threads / 2)); do
            bench_rows threads "$set" --runs 1 -T "$threads" >"$work/threads.rows"
            sed -E "s/\"queries\".*(\"qps\":[0-9.]*)/\"threads\":$threads,\1/" "$work/threads.rows" >>"$data/threads.jsonl"
        done
    done
}

prepare_size() {
    local tune
    for tune in balanced size speed; do need_index "$tune"; done
    as_command size "quern index --no-store --tune TUNE -o x.qidx corpus.jsonl && quern stats --json x.qidx"
}

once_size() { :; } # bytes do not vary

round_size() {
    local tune
    for tune in balanced size speed; do
        must "$quern" stats --json "$work/indexes/$tune.qidx"
        sed -E 's/.*"bytes":\{([^}]*)\}.*/\1/; s/"([a-z]*)":/"\1_bytes":/g' "$work/said" |
            awk -v tune="$tune" -v input="$input_bytes" '{
                match($0, /"total_bytes":[0-9]+/); total = substr($0, RSTART + 14, RLENGTH - 14)
                printf "{\"v\":1,\"part\":\"size\",\"tune\":\"%s\",\"share_of_input\":%.6g,%s}\n", tune, total / input, $0
            }' >>"$data/size.jsonl"
    done
}

# name corpus, queries, qrels of each judged collection that is there.
judged() {
    local collections=${QUERN_DATA:-../shared/data} name
    printf 'sample\t%s\t%s\t%s\n' bench/sample/{corpus.jsonl,topics.tsv,qrels.txt}
    for name in cranfield cacm npl-vaswani scifact; do
        [[ -r $collections/$name/qrels.txt ]] &&
            printf '%s\t%s\t%s\t%s\n' "$name" "$collections/$name"/{corpus.jsonl.zst,queries.tsv,qrels.txt}
    done
    return 0
}

prepare_effectiveness() {
    as_command effectiveness "quern index -o x.qidx corpus.jsonl && quern search x.qidx --topics queries.tsv --format trec -k 1000 | quern eval qrels.txt -"
}

once_effectiveness() { :; } # nor do answers

round_effectiveness() {
    local name corpus topics qrels
    while IFS=$'\t' read -r name corpus topics qrels; do
        must "$quern" index -q --force -o "$work/judged.qidx" "$corpus"
        must "$quern" search -q "$work/judged.qidx" --topics "$topics" --format trec -k 1000
        mv "$work/said" "$work/judged.run"
        must "$quern" eval "$qrels" "$work/judged.run"
        awk -F '\t' -v name="$name" '
            $1 ~ /^(num_q|ndcg_cut_10|map|recip_rank|recall_100)$/ { value[$1] = $3 }
            END {
                printf "{\"v\":1,\"part\":\"effectiveness\",\"collection\":\"%s\",\"topics\":%s,\"ndcg_cut_10\":%s,\"map\":%s,\"recip_rank\":%s,\"recall_100\":%s}\n",
                    name, value["num_q"], value["ndcg_cut_10"], value["map"], value["recip_rank"], value["recall_100"]
            }' "$work/said" >>"$data/effectiveness.jsonl"
    done < <(judged)
}

# ---- the machine's limits ------------------------------------------------------------------------

prepare_kernels() {
    head -c 3000000 "$work/corpus.jsonl" >"$work/text"
    head -n 20000 "$work/corpus.jsonl" >"$work/lines.jsonl"
    as_command kernels 'micro_memory --json 1; micro_block --json 3; micro_positions --json 3; micro_eval --json 3; micro_topk --json 3; micro_json --json corpus.jsonl; micro_tokenizer --json corpus.jsonl'
}

round_kernels() {
    local program
    must "$build/micro_memory" --json 1
    cat "$work/said" >>"$data/memory.jsonl"
    for program in block positions eval topk; do
        must "$build/micro_$program" --json 3
        # Every width would be two pages of plots.
        grep -vE '"kernel":"[a-z_]*, width (1|3|5|6|7|9|1[0-57-9]|20)"' "$work/said" >>"$data/kernels.jsonl"
    done
    must "$build/micro_json" --json "$work/lines.jsonl"
    cat "$work/said" >>"$data/kernels.jsonl"
    must "$build/micro_tokenizer" --json "$work/text"
    cat "$work/said" >>"$data/kernels.jsonl"
}

# ---- growth and techniques -----------------------------------------------------------------------

prepare_growth() {
    local n counts=()
    growth=(bench/growth --json --runs 3 --rounds 1 -k 10,1000 --corpus "$work/corpus.jsonl" --keep "$work/indexes")
    for n in "${sets[@]}"; do growth+=(--queries "$work/$n.tsv"); done
    for ((n = 10000; n < n_documents; n *= 10)); do
        counts+=("$n")
        [[ $((n * 3)) -lt $n_documents ]] && counts+=("$((n * 3))")
    done
    growth+=(--counts "$(IFS=,; echo "${counts[*]-}${counts[0]:+,}all")")
    as_command growth "bench/growth --runs 3 -k 10,1000 --corpus corpus.jsonl --queries SET.tsv --counts ${growth[-1]}"
    progress 'building indexes of the first documents'
    round_growth # tells how large they are and how long they took
    grep '"seconds"' "$data/growth.jsonl" >"$work/growth.built"
    mv "$work/growth.built" "$data/growth.jsonl"
}

round_growth() {
    must "${growth[@]}"
    cat "$work/said" >>"$data/growth.jsonl"
}

prepare_ablation() {
    local set
    ablation=(bench/ablation --json --rounds 1 --sample "$([[ -n $full ]] && echo 150 || echo 50)"
        --corpus "$work/corpus.jsonl" --keep "$work/indexes")
    for set in "${sets[@]:0:5}"; do
        case $set in
        union | intersection | question) ablation+=(--queries "$work/$set.tsv") ;;
        esac
    done
    [[ ${#ablation[@]} -gt 10 ]] || ablation+=(--queries "$work/${sets[0]}.tsv")
    as_command ablation 'bench/ablation --corpus corpus.jsonl --queries SET.tsv'
    for set in balanced size speed; do need_index "$set"; done
}

round_ablation() {
    must "${ablation[@]}"
    cat "$work/said" >>"$data/ablation.jsonl"
}

# ---- beside other engines ------------------------------------------------------------------------

# need_rivals: indexes of the first documents by every engine that is there, $work/rivals/ENGINE; what
# their building takes is noted on the way.
need_rivals() {
    local name
    [[ -z ${duel+there} ]] || return 0
    duel=(bench/duel -e "quern=$build/sbg serve $work/rivals/quern")
    rival_documents=20000 && [[ -n $full ]] && rival_documents=200000
    [[ $rival_documents -lt $n_documents ]] || rival_documents=$n_documents
    builder=(bench/build --json --rounds 1 --corpus "$work/corpus.jsonl" --documents "$rival_documents")
    if [[ -z $rivals ]]; then
        must "${builder[@]}" --keep "$work/rivals" --only quern
    else
        progress 'compiling what drives other engines'
        bench/rivals/make >"$work/rivals.txt" 2>&1 || [[ $? -eq 1 ]] || failed "$(tail -n 1 "$work/rivals.txt")"
        progress "building indexes of $rival_documents documents with other engines"
        must "${builder[@]}" --keep "$work/rivals"
        for name in lucene fts5 xapian; do
            [[ -e $work/rivals/$name ]] && duel+=(-e "$name=build/rivals/$name serve $work/rivals/$name")
        done
    fi
    cp "$work/said" "$work/built.jsonl"
}

prepare_build() {
    need_rivals
    cat "$work/built.jsonl" >>"$data/build.jsonl"
    as_command build "bench/build --rounds 1 --documents $rival_documents --corpus corpus.jsonl"
    as_command build 'quern index --json -T 1 [--no-store] -o x.qidx --force corpus.jsonl'
}

# Other engines once, since they take so long; quern in every round, and on the whole corpus.
round_build() {
    local threads store
    must "${builder[@]}" --only quern
    cat "$work/said" >>"$data/build.jsonl"
    [[ $rival_documents -lt $n_documents ]] || return 0
    for threads in $(printf '%s\n' 1 "$(nproc)" | sort -nu); do
        for store in none texts; do
            must "$quern" index --json -q -T "$threads" -o "$work/built.qidx" --force \
                $([[ $store == none ]] && echo --no-store) "$work/corpus.jsonl"
            sed -E 's/.*("documents":[0-9]+),.*("index_bytes":[0-9]+),("seconds":[0-9.]+,"mb_per_s":[0-9.]+,"peak_rss_bytes":[0-9]+).*/\1,\2,\3/' "$work/said" |
                sed "s/.*/{\"v\":1,\"part\":\"build\",\"engine\":\"quern\",\"store\":\"$store\",\"threads\":$threads,&}/" >>"$data/build.jsonl"
        done
    done
}

prepare_rivals() {
    need_rivals
    as_command rivals 'bench/duel -k 10,1000 --sample N -e "quern=sbg serve INDEX" -e "lucene=..." SET.tsv'
}

once_rivals() { :; } # it has rounds of its own

round_rivals() {
    local set args=(-k 10,1000 --json --rounds "$rounds" --warmup 3 --sample 30)
    [[ -n $full ]] || args=(-k 10,1000 --json --rounds "$rounds" --warmup 2 --sample 15)
    for set in "${sets[@]}"; do args+=("$set=$work/$set.tsv"); done
    # Exit code 1: answers differ, which the page tells.
    "${duel[@]}" "${args[@]}" >"$work/said" 2>"$work/err" || [[ $? -eq 1 ]] || { cat "$work/err" >&2; failed 'bench/duel'; }
    cat "$work/said" >>"$data/rivals.jsonl"
}

prepare_cold() {
    need_rivals
    head -n 1 "$work/${sets[0]}.tsv" >"$work/first.tsv"
    as_command cold 'bench/duel --only-cold --cold 1 -e "quern=sbg serve INDEX" -e "lucene=..." FIRST.tsv'
    as_command cold 'dd of=FILE oflag=nocache conv=notrunc,fdatasync count=0    # takes a file out of the page cache'
}

# cold_start CACHE
cold_start() {
    "${duel[@]}" --json --only-cold --cold 1 "union=$work/first.tsv" >"$work/said" 2>"$work/err" ||
        [[ $? -eq 1 ]] || { cat "$work/err" >&2; failed 'bench/duel'; }
    sed -n "s/\"part\":\"cold\",/&\"cache\":\"$1\",/p" "$work/said" >>"$data/cold.jsonl"
}

round_cold() {
    local i file
    for i in 1 2 3; do cold_start warm; done
    find "$work/rivals" -type f -print0 | while IFS= read -r -d '' file; do
        dd of="$file" oflag=nocache conv=notrunc,fdatasync count=0 status=none || exit 4
    done || failed 'the page cache keeps what it has'
    cold_start disk
}

# ---- the machine ---------------------------------------------------------------------------------

# cached NAME: what the build was configured with.
cached() {
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

tell_about() {
    local line part
    about machine processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) of them for this run"
    about machine memory "$(awk '/MemTotal/ { printf "%.1f GB", $2 * 1024 / 1e9 }' /proc/meminfo)"
    about machine system "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), Linux $(uname -r)"
    grep -qw hypervisor /proc/cpuinfo && about machine virtual 'yes: others may use the same processors'
    about software quern "$("$quern" --version | head -n 1), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
    about software compiler "$("$(cached CMAKE_C_COMPILER)" --version | head -n 1), $(cached CMAKE_C_FLAGS_RELEASE)"
    [[ -r $work/rivals.txt ]] && while IFS= read -r line; do
        about software 'other engines' "${line#build/rivals/}"
    done <"$work/rivals.txt"
    about software instructions "QUERN_CPU=${QUERN_CPU:-best that the machine has}"
    about texts corpus "$title, $((input_bytes / 1000000)) MB of JSON Lines"
    for line in "${sets[@]}"; do
        about texts "$line" "$(wc -l <"$work/$line.tsv") queries, the first: $(head -n 1 "$work/$line.tsv" | cut -f 2)"
    done
    about machine date "$(date -u +%F), $(((SECONDS - began) / 60)) minutes"
    for part in "${wanted[@]}"; do
        about commands "$part" "${times[$part]} rounds"
        for line in "${commands[@]}"; do
            [[ ${line%%$'\t'*} == "$part" ]] && about commands '' "${line#*$'\t'}"
        done
    done
    return 0
}
