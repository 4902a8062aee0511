/* The section ORDINALS: see ordinals.h. */
#include "index/segment/ordinals.h"

#include "index/codec/packer.h"
#include "index/segment/format.h"

enum { FORGET_EVERY = 1 << 20 };

quern_status qn_ordinals_write(qn_container_writer *container, const qn_scratch *order,
                               uint32_t n_docs, quern_error *error)
{
    const uint32_t *ordinal = (const uint32_t *)order->data;
    qn_packer packer = {.to = &container->file};
    quern_status status = qn_container_writer_begin(container, QN_SECTION_ORDINALS, error);
    for (uint32_t i = 0; status == QUERN_OK && i < n_docs; i++) {
        status = qn_packer_put(&packer, ordinal[i], qn_ordinals_width(n_docs), error);
        if ((i + 1) % FORGET_EVERY == 0)
            qn_scratch_forget(order, order->data, order->len);
    }
    if (status == QUERN_OK)
        status = qn_packer_end(&packer, error);
    return status == QUERN_OK ? qn_container_writer_end(container, error) : status;
}

quern_status qn_ordinals_open(const uint8_t **ordinals, const qn_container *container,
                              uint32_t n_docs, quern_error *error)
{
    qn_section section = container->section[QN_SECTION_ORDINALS];
    *ordinals = section.data;
    if (section.data != NULL && section.len != qn_bitpack_bytes(n_docs, qn_ordinals_width(n_docs)))
        return qn_container_damaged(container, "ORDINALS is of the wrong size", error);
    return QUERN_OK;
}
