/* TSV lines. */
#include "tests/index/build/test_source_support.h"

TestSuite(source_tsv, .init = make_dir, .fini = remove_dir);

Test(source_tsv, fields)
{
    expect_records(write_text("a.tsv", "1\ttext\n"
                                       "2\ttitle\ttext\n"
                                       "3\ttitle\ttext\twith\tTABs\t\n"
                                       "\n"
                                       "   \n"
                                       "4\t\n"
                                       "5\t\t\n"
                                       "6\t \"not quoted\n"
                                       "no TAB\n"
                                       "\tno id\n"
                                       "\t\n"
                                       "7\tCRLF\r\n"
                                       "\r\n"
                                       "8\tlast, unterminated"),
                   usual(),
                   "+1||text\n"
                   "+2|title|text\n"
                   "+3|title|text\twith\tTABs\t\n"
                   "+4||\n"
                   "+5||\n"
                   "+6|| \"not quoted\n"
                   "!a.tsv:9: no TAB between id and text\n"
                   "!a.tsv:10: empty id\n"
                   "!a.tsv:11: empty id\n"
                   "+7||CRLF\n"
                   "+8||last, unterminated\n");
}

Test(source_tsv, byte_order_mark_and_nul)
{
    static const char text[] = "\xef\xbb\xbf"
                               "1\ta\0b\n2\0\tc\n\xef\xbb\xbf"
                               "3\td\n";
    expect_records(write_bytes("a.tsv", text, sizeof text - 1), usual(),
                   "+1||aNULb\n!a.tsv:2: id holds a NUL byte\n+\xef\xbb\xbf"
                   "3||d\n");
}

Test(source_tsv, long_ids)
{
    for (size_t len = 4095; len <= 4097; len++) {
        char line[4200];
        memset(line, 'x', len);
        memcpy(line + len, "\tt\n", 3);
        char *got = records_of(write_bytes("a.tsv", line, len + 3), usual());
        cr_expect_eq(count_records(got, '+'), len <= 4096 ? 1u : 0u);
        cr_expect(len <= 4096 ||
                  strcmp(got, "!a.tsv:1: id of 4097 bytes, over the limit of 4096\n") == 0);
        free(got);
    }
}

Test(source_tsv, record_is_the_line)
{
    qn_source *source;
    quern_document document;
    qn_place place;
    cr_assert_eq(qn_source_open(&source, write_text("a.tsv", "1\tt\tx\r\n"), usual(), NULL),
                 QUERN_OK);
    cr_assert_eq(qn_source_next(source, &document, &place, NULL), QUERN_OK);
    cr_expect_eq(document.record.len, 5u);
    cr_expect_eq(memcmp(document.record.data, "1\tt\tx", 5), 0);
    cr_expect_eq(place.line, 1u);
    qn_source_free(source);
}

/* The texts of fields as put_records writes them: title|text1|text2... */
Test(source_tsv, columns_are_fields)
{
    static const qn_fields fields = {.n = 3, .field = {{"title", 1}, {"year", 1}, {"text", 1}}};
    qn_source_settings settings = *usual();
    settings.fields = &fields;
    expect_records(write_text("a.tsv", "1\tT\t1999\tx\ty\n"
                                       "2\t\t\t\n"
                                       "3\tT\t1999\n"
                                       "4\tT\n"
                                       "5\n"),
                   &settings,
                   "+1||[T][1999][x\ty]\n"
                   "+2||[][][]\n"
                   "!a.tsv:3: 2 of 3 fields: text is missing\n"
                   "!a.tsv:4: 1 of 3 fields: year is missing\n"
                   "!a.tsv:5: no TAB between id and text\n");
}
