/*
 * Numbers of the file format, all in one place; index/segment/FORMAT.md is the law that explains
 * them. All integers are little-endian.
 */
#ifndef QN_SEGMENT_FORMAT_H
#define QN_SEGMENT_FORMAT_H

#include <stdint.h>

/* Goes up with every change of the bytes until the first release. */
#define QN_FORMAT_VERSION 4u

/* Every file starts so; the tail catches transfers that change line ends or strip high bits. */
#define QN_FORMAT_MAGIC "quern\x93\r\n"

/* What a file is. */
enum { QN_FILE_INDEX = 1, QN_FILE_STORE = 2, QN_FILE_DELETES = 3 };

/* Sections of the index file (1..31), of the store file (32..) and of deletions (48..). A reader
 * refuses an index with a kind it does not know unless the kind's bit 31 says that it may be
 * ignored. */
enum {
    QN_SECTION_META = 1,          /* counts, BM25 parameters, analyzer */
    QN_SECTION_LENGTHS = 2,       /* a length code a document */
    QN_SECTION_EXACT_LENGTHS = 3, /* bit-packed lengths in tokens */
    QN_SECTION_DICT = 4,          /* front-coded blocks of terms */
    QN_SECTION_DICT_INDEX = 5,    /* separators and places of those blocks */
    QN_SECTION_POSTINGS = 6,      /* docids, tf, block tables, block maxima, seeds */
    QN_SECTION_POSITIONS = 7,
    QN_SECTION_BOUNDS = 8,     /* range maxima of frequent terms */
    QN_SECTION_IDS = 9,        /* external ids in document order */
    QN_SECTION_ID_LOOKUP = 10, /* from an id to its document */
    QN_SECTION_FIELDS = 11,    /* names, weights and counts of several fields */
    QN_SECTION_ORDINALS = 12,  /* places in the input, where documents were reordered */
    /* Reserved, written by no version yet, refused if met: */
    QN_SECTION_VALUES = 13,      /* a column of document values */
    QN_SECTION_STORE = 32,       /* zstd blocks of documents */
    QN_SECTION_STORE_INDEX = 33, /* first document and place of each block */
    QN_SECTION_WORDS = 34,       /* words that blocks have codes for */
    QN_SECTION_DELETED = 48,     /* a bit for each document */
    QN_SECTION_GONE = 49,        /* the same by ordinal, where documents were reordered */
    QN_SECTION_MAX = 64,
};

/* Features a reader must know to read a file at all; each is that of a section. Reserved: bit 2
 * document values. */
#define QN_FEATURE_FIELDS    1ull /* FIELDS is there */
#define QN_FEATURE_REORDERED 2ull /* ORDINALS, or GONE of deletions */
#define QN_FEATURES_KNOWN    (QN_FEATURE_FIELDS | QN_FEATURE_REORDERED)

/* Longest term and external id, in bytes. */
enum { QN_TERM_MAX = 255, QN_ID_MAX = 4096 };

/* Documents of one segment, and of all segments of an index together. */
#define QN_DOCS_MAX 0xFFFFFF00u

/* Bounds are kept for ranges of 64 documents; a window is 64 ranges, and what is kept for each
 * range or document of a coded list is kept for whole windows. */
enum { QN_RANGE = 64, QN_WINDOW = 64 * QN_RANGE };

/* Bytes that the levels of a window's ranges take, of one term. */
enum { QN_WINDOW_LEVELS = QN_WINDOW / QN_RANGE / 2 };

static inline uint32_t qn_segment_windows(uint32_t n_docs)
{
    return (uint32_t)(((uint64_t)n_docs + QN_WINDOW - 1) / QN_WINDOW);
}

#endif
