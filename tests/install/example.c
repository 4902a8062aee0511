#include <quern.h>
#include <stdio.h>

int main(void)
{
    const char *path = "fables.qidx";
    const quern_document fables[] = {
        {.id = QUERN_STR("fox"), .text = QUERN_STR("A fox could not reach the grapes.")},
        {.id = QUERN_STR("crow"), .text = QUERN_STR("A crow held cheese; a fox praised the crow.")},
        {.id = QUERN_STR("ant"), .text = QUERN_STR("The ants stored grain all summer.")}};
    quern_build_options options = QUERN_BUILD_OPTIONS;
    options.force = true; /* replace an index that is there */

    quern_error error = {0};
    quern_builder *builder = NULL;
    quern_index *index = NULL;
    quern_searcher *searcher = NULL;
    quern_hits hits = {0};
    quern_status status = quern_builder_open(&builder, path, &options, &error);
    for (size_t i = 0; status == QUERN_OK && i < sizeof fables / sizeof *fables; i++)
        status = quern_builder_add(builder, &fables[i], &error);
    if (status == QUERN_OK)
        status = quern_builder_commit(builder, NULL, &error);
    if (status == QUERN_OK)
        status = quern_index_open(&index, path, NULL, &error);
    if (status == QUERN_OK)
        status = quern_searcher_new(&searcher, index, NULL, &error);
    if (status == QUERN_OK)
        status = quern_search(searcher, QUERN_STR("foxes and crows"), 10, &hits, &error);
    quern_document found;
    for (size_t i = 0; status == QUERN_OK && i < hits.n; i++) {
        status = quern_fetch(searcher, hits.hit[i].doc, &found, &error);
        if (status == QUERN_OK)
            printf("%.4f %.*s: %.*s\n", hits.hit[i].score, (int)found.id.len, found.id.data,
                   (int)found.text.len, found.text.data);
    }
    if (status != QUERN_OK)
        fprintf(stderr, "%s\n", error.message);
    quern_searcher_free(searcher);
    quern_index_close(index);
    quern_builder_free(builder);
    return status != QUERN_OK;
}
