/*
 * What this machine's memory can do at best, to be set beside what kernels do (micro_block,
 * micro_eval ...): bytes a second that are read (summed up by vectors), written and copied, and
 * nanoseconds of a read whose address the read before it gives, in arrays that the caches of the
 * first, second and third level hold, and in one that none holds; by one thread, and by all
 * together, each in an array of its own. Each figure is the median of several runs of some
 * milliseconds.
 *
 *     micro_memory [--json] [RUNS]
 *
 * Vectors are those of the best level that kernels have on this machine, 64 bytes with AVX-512, or
 * of a lower one that QUERN_CPU names. Stores are ordinary ones, as those of kernels are: of a line
 * that no cache holds, they have the old bytes read first. Copied bytes count twice, when they are
 * read and when they are written. Pages have 4 KiB, as those of a mapped index do, so that reads at
 * random in large arrays wait for page tables, too.
 */
#define _DEFAULT_SOURCE
#include "bench/micro/micro.h"
#include "index/base/cpu.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE = 64, UNROLL = 8, MAX_THREADS = 64 };

#define RUN_SECONDS 6e-3 /* at least, of a run */

/* A line of an array. */
typedef struct line {
    _Alignas(LINE) uint64_t word[LINE / 8];
} line;

/* ---- loops ---- */

/* Over n lines, a multiple of UNROLL. The result of a loop depends on what it read. */
typedef struct loops {
    uint64_t (*read)(const line *from, size_t n);
    uint64_t (*write)(line *to, size_t n);
    uint64_t (*copy)(line *to, const line *from, size_t n);
} loops;

/* The loops by vectors of `bytes` bytes, UNROLL at a time, which stay in registers. A compiler must
 * not make one call of memset or memcpy of the stores, so it is told after each stretch that memory
 * is looked at. */
#define LOOPS(level, bytes, attribute)                                                             \
    typedef uint64_t vector_##level                                                                \
        __attribute__((vector_size(bytes), aligned(bytes), may_alias));                            \
    attribute static uint64_t read_##level(const line *from, size_t n)                             \
    {                                                                                              \
        const vector_##level *v = (const vector_##level *)from;                                    \
        vector_##level sum[UNROLL] = {0};                                                          \
        for (size_t i = 0; i < n * (LINE / (bytes)); i += UNROLL)                                  \
            for (size_t j = 0; j < UNROLL; j++)                                                    \
                sum[j] += v[i + j];                                                                \
        for (size_t j = 1; j < UNROLL; j++)                                                        \
            sum[0] += sum[j];                                                                      \
        uint64_t all = 0;                                                                          \
        for (size_t j = 0; j < (bytes) / 8; j++)                                                   \
            all += sum[0][j];                                                                      \
        return all;                                                                                \
    }                                                                                              \
    attribute static uint64_t write_##level(line *to, size_t n)                                    \
    {                                                                                              \
        vector_##level *v = (vector_##level *)to, value = {1, 2};                                  \
        for (size_t i = 0; i < n * (LINE / (bytes)); i += UNROLL) {                                \
            for (size_t j = 0; j < UNROLL; j++)                                                    \
                v[i + j] = value;                                                                  \
            __asm__ volatile("" ::: "memory");                                                     \
        }                                                                                          \
        return to[n - 1].word[0];                                                                  \
    }                                                                                              \
    attribute static uint64_t copy_##level(line *to, const line *from, size_t n)                   \
    {                                                                                              \
        const vector_##level *in = (const vector_##level *)from;                                   \
        vector_##level *out = (vector_##level *)to;                                                \
        for (size_t i = 0; i < n * (LINE / (bytes)); i += UNROLL) {                                \
            vector_##level some[UNROLL];                                                           \
            for (size_t j = 0; j < UNROLL; j++)                                                    \
                some[j] = in[i + j];                                                               \
            for (size_t j = 0; j < UNROLL; j++)                                                    \
                out[i + j] = some[j];                                                              \
            __asm__ volatile("" ::: "memory");                                                     \
        }                                                                                          \
        return to[n - 1].word[0];                                                                  \
    }                                                                                              \
    static const loops LOOPS_##level = {read_##level, write_##level, copy_##level};

LOOPS(scalar, 16, )
#ifdef __x86_64__
LOOPS(avx2, 32, __attribute__((target("avx2"))))
LOOPS(avx512, 64, __attribute__((target("avx512f"))))
#endif

static const loops *loops_for(qn_cpu level)
{
#ifdef __x86_64__
    if (level == QN_CPU_AVX512)
        return &LOOPS_avx512;
    if (level == QN_CPU_AVX2)
        return &LOOPS_avx2;
#endif
    (void)level;
    return &LOOPS_scalar;
}

/* ---- what threads do ---- */

typedef enum task { WRITE, READ, COPY, RANDOM, N_TASKS } task;

/* Of all threads. */
typedef struct work {
    const loops *loops;
    size_t bytes; /* of a thread's array */
    task task;
    size_t passes;
    unsigned n_threads;
    pthread_barrier_t barrier;
    uint64_t sink; /* results, so that no loop is left out */
} work;

typedef struct worker {
    work *work;
    pthread_t thread;
    line *array;
    double start, end;
    uint64_t sink;
} worker;

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "micro_memory: %s\n", what);
    exit(4);
}

/* The lines of the array become one cycle (Sattolo 1986): the first word of each has the number of
 * the next. */
static void link_lines(line *lines, size_t n)
{
    uint64_t state = n;
    for (size_t i = 0; i < n; i++)
        lines[i].word[0] = i;
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = next_random(&state) % i;
        uint64_t next = lines[i].word[0];
        lines[i].word[0] = lines[j].word[0];
        lines[j].word[0] = next;
    }
}

/* A pass over the array; at random, as many reads as it has lines, up to 64 Ki. */
static size_t reads_of_pass(const work *w)
{
    size_t n = w->bytes / LINE;
    return n < 1 << 16 ? n : 1 << 16;
}

static uint64_t walk(const line *lines, uint64_t at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at = lines[at].word[0];
    return at;
}

static void *run_worker(void *argument)
{
    worker *me = argument;
    work *w = me->work;
    size_t n = w->bytes / LINE, half = n / 2;
    (void)pthread_barrier_wait(&w->barrier);
    me->start = now();
    for (size_t pass = 0; pass < w->passes; pass++) {
        if (w->task == WRITE)
            me->sink += w->loops->write(me->array, n);
        else if (w->task == READ)
            me->sink += w->loops->read(me->array, n);
        else if (w->task == COPY)
            me->sink += w->loops->copy(me->array, me->array + half, half);
        else
            me->sink = walk(me->array, me->sink % n, reads_of_pass(w));
    }
    me->end = now();
    return NULL;
}

/* Seconds from the first thread's start to the last one's end. */
static double run(work *w, worker *workers)
{
    if (pthread_barrier_init(&w->barrier, NULL, w->n_threads) != 0)
        die("cannot make a barrier");
    for (unsigned i = 0; i < w->n_threads; i++) {
        workers[i].work = w;
        if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0)
            die("cannot start a thread");
    }
    double start = 0, end = 0;
    for (unsigned i = 0; i < w->n_threads; i++) {
        if (pthread_join(workers[i].thread, NULL) != 0)
            die("cannot wait for a thread");
        start = i == 0 || workers[i].start < start ? workers[i].start : start;
        end = workers[i].end > end ? workers[i].end : end;
        w->sink += workers[i].sink;
    }
    (void)pthread_barrier_destroy(&w->barrier);
    return end - start;
}

/* ---- figures ---- */

typedef struct figures {
    double bytes_per_s[RANDOM]; /* of all threads together */
    double random_ns;
} figures;

/* Passes are doubled until a run is long enough, which fills the caches, too. */
static double measure_task(work *w, worker *workers, task which, unsigned n_runs)
{
    double times[MAX_RUNS];
    w->task = which;
    w->passes = 1;
    while (run(w, workers) < RUN_SECONDS)
        w->passes *= 2;
    for (unsigned r = 0; r < n_runs; r++)
        times[r] = run(w, workers) / (double)w->passes;
    return median(times, n_runs);
}

/* Half of a copy is read and half written, so it is a pass over all bytes, too. */
static figures measure(work *w, worker *workers, unsigned n_runs)
{
    figures f;
    double bytes = (double)w->bytes * w->n_threads;
    for (task which = WRITE; which < RANDOM; which++)
        f.bytes_per_s[which] = bytes / measure_task(w, workers, which, n_runs);
    for (unsigned i = 0; i < w->n_threads; i++)
        link_lines(workers[i].array, w->bytes / LINE);
    f.random_ns = 1e9 * measure_task(w, workers, RANDOM, n_runs) / (double)reads_of_pass(w);
    return f;
}

/* ---- sizes ---- */

static const char *const LEVELS[] = {"L1", "L2", "L3", "memory"};
enum { IN_MEMORY = 3, N_LEVELS };

/* A line that /sys has of a cache; false where there is none. */
static bool cache_fact(int cache, const char *name, char text[32])
{
    char path[96];
    (void)snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", cache, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool found = fgets(text, 32, file) != NULL;
    (void)fclose(file);
    text[found ? strcspn(text, "\n") : 0] = '\0';
    return found;
}

/* The bytes of the cache of a level, 1 to 3, that holds data: as /sys has them, or sysconf; 0 if
 * neither tells. */
static size_t cache_bytes(int level)
{
    char has[32], type[32], size[32];
    for (int i = 0; cache_fact(i, "level", has) && cache_fact(i, "type", type); i++)
        if (strtol(has, NULL, 10) == level && strcmp(type, "Instruction") != 0 &&
            cache_fact(i, "size", size))
            return (size_t)strtoul(size, NULL, 10) << 10; /* it is told in KiB, as 48K */
#ifdef _SC_LEVEL1_DCACHE_SIZE
    static const int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE,
                                _SC_LEVEL3_CACHE_SIZE};
    long bytes = sysconf(names[level - 1]);
    return bytes > 0 ? (size_t)bytes : 0;
#else
    return 0;
#endif
}

/* The bytes of a thread's array: half of the cache, that of the third level shared by all; at
 * last, four times that and 128 MiB at least, but all together no more than a quarter of the
 * memory. */
static size_t array_bytes(int level, unsigned n_threads)
{
    static const size_t usual[] = {32 << 10, 1 << 20, 16 << 20};
    size_t bytes = level < IN_MEMORY ? cache_bytes(level + 1) : cache_bytes(IN_MEMORY);
    if (bytes == 0)
        bytes = usual[level < IN_MEMORY ? level : IN_MEMORY - 1];
    if (level == IN_MEMORY) {
        bytes = 4 * bytes < (size_t)128 << 20 ? (size_t)128 << 20 : 4 * bytes;
        long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
        size_t most = pages > 0 && page > 0 ? (size_t)pages / 4 * (size_t)page : bytes;
        bytes = bytes < most ? bytes : most;
    } else {
        bytes /= 2;
    }
    if (level >= 2)
        bytes /= n_threads;
    const size_t step = 2 * UNROLL * LINE;
    return bytes < 2 * step ? 2 * step : bytes / step * step;
}

/* ---- the whole ---- */

static void print_head(qn_cpu level)
{
    printf("vectors by %s; GB/s of all threads (copied bytes count twice), ns a read at random\n"
           "%-8s %10s %8s %9s %9s %9s %9s\n",
           qn_cpu_name(level), "", "KiB each", "threads", "read", "write", "copy", "random");
}

static void report(const work *w, int level, const figures *f, bool json)
{
    if (json) {
        printf("{\"v\":1,\"part\":\"memory\",\"level\":\"%s\",\"threads\":%u", LEVELS[level],
               w->n_threads);
        put_figure("read_bytes_per_s", f->bytes_per_s[READ]);
        put_figure("write_bytes_per_s", f->bytes_per_s[WRITE]);
        put_figure("copy_bytes_per_s", f->bytes_per_s[COPY]);
        put_figure("random_ns", f->random_ns);
        printf("}\n");
    } else {
        printf("%-8s %10zu %8u %9.1f %9.1f %9.1f %9.2f\n", LEVELS[level], w->bytes >> 10,
               w->n_threads, f->bytes_per_s[READ] * 1e-9, f->bytes_per_s[WRITE] * 1e-9,
               f->bytes_per_s[COPY] * 1e-9, f->random_ns);
    }
    (void)fflush(stdout);
}

static void map_arrays(worker *workers, unsigned n, size_t bytes)
{
    for (unsigned i = 0; i < n; i++) {
        void *array = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (array == MAP_FAILED)
            die("out of memory");
        /* A kernel without large pages refuses, and has none to give. */
        (void)madvise(array, bytes, MADV_NOHUGEPAGE);
        workers[i] = (worker){.array = array};
    }
}

int main(int argc, char **argv)
{
    static const micro_form form = {"micro_memory [--json] [RUNS]", 9, 0, 0, 1};
    static worker workers[MAX_THREADS];
    micro_options options = read_options(&form, argc, argv);
    qn_cpu level = qn_cpu_detect();
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n_all = online < 1 ? 1 : online > MAX_THREADS ? MAX_THREADS : (unsigned)online;
    work w = {.loops = loops_for(level)};
    if (!options.json)
        print_head(level);
    for (int i = 0; i < N_LEVELS; i++)
        for (unsigned n = 1; n <= n_all; n = n == n_all ? n + 1 : n_all) {
            w.n_threads = n;
            w.bytes = array_bytes(i, n);
            map_arrays(workers, n, w.bytes);
            figures f = measure(&w, workers, options.runs);
            report(&w, i, &f, options.json);
            for (unsigned j = 0; j < n; j++)
                (void)munmap(workers[j].array, w.bytes);
        }
    if (w.sink == 1) /* hardly, but the compiler cannot know */
        printf("\n");
    return finished(true);
}
