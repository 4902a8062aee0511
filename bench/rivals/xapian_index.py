#!/usr/bin/env python3
"""Builds a Xapian (glass) index of JSON Lines: title and text, stemmed, with positions; with
`store` both are kept, too. xapian_index.py CORPUS OUT DOCUMENTS none|store"""
import itertools
import json
import sys

import xapian

corpus, out, most, store = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "store"
database = xapian.WritableDatabase(out, xapian.DB_CREATE_OR_OVERWRITE)
generator = xapian.TermGenerator()
generator.set_stemmer(xapian.Stem("english"))
generator.set_stemming_strategy(xapian.TermGenerator.STEM_ALL)
with open(corpus, "rb") as source:
    for line in itertools.islice(source, most):
        record = json.loads(line)
        document = xapian.Document()
        generator.set_document(document)
        generator.index_text(record.get("title", ""))
        generator.increase_termpos(100)
        generator.index_text(record["text"])
        document.add_boolean_term("Q" + record["id"][:200])
        if store:
            document.set_data(record.get("title", "") + "\n" + record["text"])
        database.add_document(document)
database.commit()
