/*
 * The part of eval_kernels_template.h, which alone includes it, that looks documents up in whole
 * lists, wherever they lie: for lead_walk.c. Written so that searches of several documents overlap:
 * no branch depends on what is found, but for the end of find_low in a group.
 */
static uint64_t find_mapped(const uint8_t *bitmap, const uint32_t *docs, size_t n)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t word = qn_load_u64(bitmap + 8 * (size_t)(docs[i] / 64));
        mask |= (word >> docs[i] % 64 & 1) << i;
    }
    return mask;
}

static void rank_mapped(const uint8_t *bitmap, const uint8_t *ranks, uint32_t df,
                        const uint32_t *docs, size_t n, uint32_t *postings)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t doc = docs[i], at = doc / 64 % 8;
        const uint8_t *line = bitmap + 64 * (size_t)(doc / 512);
        uint64_t rank = qn_load_u32(ranks + 4 * (size_t)(doc / 512));
        uint64_t below = ((uint64_t)1 << doc % 64) - 1;
        for (uint32_t j = 0; j < 8; j++) { /* without branches */
            uint64_t mask = j < at ? ~(uint64_t)0 : j == at ? below : 0;
            rank += (uint64_t)__builtin_popcountll(qn_load_u64(line + 8 * (size_t)j) & mask);
        }
        postings[i] = rank < df ? (uint32_t)rank : df;
    }
}

static uint64_t find_listed(const qn_group_list *list, const uint32_t *docs, uint64_t among,
                            uint32_t *postings)
{
    uint64_t found = 0;
    for (; among != 0; among &= among - 1) {
        unsigned i = (unsigned)__builtin_ctzll(among);
        uint32_t window = docs[i] / 4096, group = docs[i] / 256, from, to;
        const uint8_t *base = list->bases + 4 * (size_t)window;
        qn_group_window here = {.starts = list->starts + 32 * (size_t)window,
                                .base = qn_load_u32(base),
                                .end =
                                    window + 1 < list->n_windows ? qn_load_u32(base + 4) : list->df,
                                .df = list->df};
        group_of(&here, group % 16, &from, &to);
        postings[i] = find_low(list->low, from, to, (uint8_t)docs[i]);
        found |= (uint64_t)(postings[i] < to) << i;
    }
    return found;
}

static void look_up_tfs(const uint8_t *codes, const uint32_t *postings, size_t n,
                        const uint32_t table[16], uint32_t *tf)
{
    for (size_t i = 0; i < n; i++)
        tf[i] = table[codes[postings[i] / 2] >> (postings[i] % 2 * 4) & 15];
}
