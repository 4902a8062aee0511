#!/usr/bin/env python3
"""Turns JSON Lines into records for `sqlite3 .import --ascii` (title, text), so that what is timed
reads no JSON: to_ascii.py CORPUS OUT DOCUMENTS."""
import itertools
import json
import sys

corpus, out, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(corpus, encoding="utf-8") as source, open(out, "w", encoding="utf-8") as to:
    for line in itertools.islice(source, most):
        record = json.loads(line)
        fields = (record.get("title", ""), record["text"])
        to.write("\x1f".join(f.replace("\x1e", " ").replace("\x1f", " ") for f in fields) + "\x1e")
