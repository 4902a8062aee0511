/*
 * Runs a fuzz target without libFuzzer: on every file of a folder of seeds, on the empty input, and
 * on mutations of all these by a fixed random sequence.
 *
 *     fuzz-NAME FOLDER|FILE [MUTATIONS]
 *
 * A file given in place of the folder is run alone, which repeats what a fuzzer found.
 */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"
#include "tests/support/random.h"

#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { SEEDS_MAX = 256, INPUT_MAX = 1 << 16, MUTATIONS = 2000 };

typedef struct seed {
    uint8_t *bytes;
    size_t len;
} seed;

/* The target sees an allocation of just this size, so that AddressSanitizer notices over-reads. */
static void run(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    QN_FUZZ_CHECK(exact != NULL);
    memcpy(exact, bytes, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static seed read_seed(const char *path)
{
    seed s = {malloc(INPUT_MAX), 0};
    FILE *file = fopen(path, "rb");
    QN_FUZZ_CHECK(s.bytes != NULL && file != NULL);
    s.len = fread(s.bytes, 1, INPUT_MAX, file);
    fclose(file);
    return s;
}

/* All files of a folder in the order of their names; a folder that is missing holds none. */
static size_t read_seeds(const char *folder, seed *seeds)
{
    struct dirent **entry;
    size_t n = 0;
    int found = scandir(folder, &entry, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        char path[4096];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (n < SEEDS_MAX && stat(path, &status) == 0 && S_ISREG(status.st_mode))
            seeds[n++] = read_seed(path);
        free(entry[i]);
    }
    if (found >= 0)
        free(entry);
    return n;
}

/* One to eight edits: a bit, a byte, an interesting byte, a cut, a repeated or a moved stretch. */
static size_t mutate(uint8_t *bytes, size_t len, uint64_t *state)
{
    static const uint8_t interesting[] = {0x00, 0x01, 0x7F, 0x80, 0xC0, 0xFF, '"', '\\', '\n', '{'};
    for (uint64_t edits = 1 + test_next(state) % 8; edits > 0; edits--) {
        uint64_t r = test_next(state);
        size_t at = len > 0 ? (size_t)(r >> 8) % len : 0;
        size_t span = 1 + (size_t)(r >> 40) % 32;
        switch (r % 6) {
        case 0:
            if (len > 0)
                bytes[at] ^= (uint8_t)(1u << (r >> 60) % 8);
            break;
        case 1:
            if (len > 0)
                bytes[at] = (uint8_t)(r >> 32);
            break;
        case 2:
            if (len > 0)
                bytes[at] = interesting[(r >> 32) % sizeof interesting];
            break;
        case 3:
            if (r >> 63)
                len = at;
            break;
        case 4: /* repeat */
            if (span > len - at)
                span = len - at;
            if (len + span <= INPUT_MAX) {
                memmove(bytes + at + span, bytes + at, len - at);
                len += span;
            }
            break;
        default: /* append noise */
            for (; span > 0 && len < INPUT_MAX; span--)
                bytes[len++] = (uint8_t)test_next(state);
        }
    }
    return len;
}

int main(int argc, char **argv)
{
    static seed seeds[SEEDS_MAX + 1];
    struct stat status;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER|FILE [MUTATIONS]\n", argv[0]);
        return 2;
    }
    if (stat(argv[1], &status) == 0 && S_ISREG(status.st_mode)) {
        seed s = read_seed(argv[1]);
        run(s.bytes, s.len);
        free(s.bytes);
        return 0;
    }
    size_t n = read_seeds(argv[1], seeds);
    seeds[n++] = (seed){calloc(1, 1), 0};
    for (size_t i = 0; i < n; i++)
        run(seeds[i].bytes, seeds[i].len);

    uint64_t state = 1;
    unsigned long mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : MUTATIONS;
    uint8_t *bytes = malloc(INPUT_MAX);
    QN_FUZZ_CHECK(bytes != NULL);
    for (unsigned long i = 0; i < mutations; i++) {
        const seed *from = &seeds[test_next(&state) % n];
        memcpy(bytes, from->bytes, from->len);
        run(bytes, mutate(bytes, from->len, &state));
    }
    printf("%zu seeds, %lu mutations\n", n, mutations);
    for (size_t i = 0; i < n; i++)
        free(seeds[i].bytes);
    free(bytes);
    return 0;
}
