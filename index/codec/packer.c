/* Packing to a file: see packer.h. */
#include "index/codec/packer.h"

#include "index/base/bytes.h"

/* Whole bytes are handed on a few at a time: a call for each would cost more than the packing. */
enum { HELD_MAX = 24 };
_Static_assert(HELD_MAX - 1 + QN_PACKER_WIDTH_MAX <= 64, "a number fits beside what is held");

static quern_status put_bytes(qn_packer *packer, unsigned n, quern_error *error)
{
    uint8_t bytes[8];
    qn_store_u64(bytes, packer->bits);
    quern_status status = qn_writer_put(packer->to, bytes, n, error);
    packer->bits = n < 8 ? packer->bits >> 8 * n : 0;
    return status;
}

quern_status qn_packer_put(qn_packer *packer, uint64_t value, unsigned width, quern_error *error)
{
    packer->bits |= value << packer->n_bits;
    packer->n_bits += width;
    if (packer->n_bits < HELD_MAX)
        return QUERN_OK;
    unsigned whole = packer->n_bits / 8;
    packer->n_bits %= 8;
    return put_bytes(packer, whole, error);
}

quern_status qn_packer_end(qn_packer *packer, quern_error *error)
{
    unsigned rest = (packer->n_bits + 7) / 8;
    packer->n_bits = 0;
    return put_bytes(packer, rest, error);
}
