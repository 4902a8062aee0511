/*
 * Lucene 8 as an engine beside quern: README.md has the protocol and what differs.
 *
 *     Lucene index INDEX [texts] <records    one segment, after forceMerge(1)
 *     Lucene serve INDEX                     answers COMMAND<TAB>QUERY, a line each
 *
 * The exit code is 0 at the end of the input, 2 for wrong usage, 4 for a failure.
 */
import java.io.*;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.text.Normalizer;
import java.util.*;
import org.apache.lucene.analysis.*;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.tokenattributes.*;
import org.apache.lucene.document.*;
import org.apache.lucene.index.*;
import org.apache.lucene.search.*;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.*;
import org.apache.lucene.util.UnicodeUtil;
import org.apache.lucene.util.Version;

public final class Lucene {
    private static final int K_MAX = 1000000, WORD_MAX_BYTES = 255, TITLE_GAP = 100;

    // ---- words ----

    /** quern's words: [LN][LNM]*('[LN][LNM]*)* over Unicode's categories, in lower case. */
    private static final class Words extends Tokenizer {
        private static final int LETTERS_NUMBERS = 1 << Character.UPPERCASE_LETTER
            | 1 << Character.LOWERCASE_LETTER | 1 << Character.TITLECASE_LETTER
            | 1 << Character.MODIFIER_LETTER | 1 << Character.OTHER_LETTER
            | 1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER
            | 1 << Character.OTHER_NUMBER;
        private static final int MARKS = 1 << Character.NON_SPACING_MARK
            | 1 << Character.ENCLOSING_MARK | 1 << Character.COMBINING_SPACING_MARK;

        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final PositionIncrementAttribute step = addAttribute(PositionIncrementAttribute.class);
        private char[] text = new char[4096];
        private int len, at;

        private static boolean is(int c, int types) {
            return (types >> Character.getType(c) & 1) != 0;
        }

        @Override
        public void reset() throws IOException {
            super.reset();
            len = at = 0;
            boolean ascii = true;
            for (int n; (n = input.read(text, len, text.length - len)) > 0; ) {
                for (int i = len; i < len + n; i++)
                    ascii &= text[i] < 0x80;
                len += n;
                if (len == text.length)
                    text = Arrays.copyOf(text, 2 * len);
            }
            if (ascii)
                return;
            String normal = Normalizer.normalize(CharBuffer.wrap(text, 0, len), Normalizer.Form.NFKC);
            len = normal.length();
            if (len > text.length)
                text = new char[2 * len];
            normal.getChars(0, len, text, 0);
        }

        private int point(int i) {
            return i < len ? Character.codePointAt(text, i, len) : 0;
        }

        @Override
        public boolean incrementToken() {
            clearAttributes();
            for (int steps = 1; at < len; ) {
                int c = point(at);
                if (!is(c, LETTERS_NUMBERS)) {
                    at += Character.charCount(c);
                    continue;
                }
                term.setEmpty();
                for (;;) {
                    for (; at < len && is(c, LETTERS_NUMBERS | MARKS); c = point(at)) {
                        int lower = Character.toLowerCase(c);
                        if (lower < 0x10000)
                            term.append((char) lower);
                        else
                            term.append(Character.highSurrogate(lower)).append(Character.lowSurrogate(lower));
                        at += Character.charCount(c);
                    }
                    if (c != '\'' && c != 0x2019 || !is(point(at + 1), LETTERS_NUMBERS))
                        break;
                    term.append('\'');
                    c = point(++at);
                }
                if (UnicodeUtil.calcUTF16toUTF8Length(term, 0, term.length()) <= WORD_MAX_BYTES) {
                    step.setPositionIncrement(steps);
                    return true;
                }
                steps++;
            }
            return false;
        }
    }

    private static final Analyzer ANALYZER = new Analyzer() {
        @Override
        protected TokenStreamComponents createComponents(String field) {
            Tokenizer words = new Words();
            return new TokenStreamComponents(words, new SnowballFilter(words, "English"));
        }

        @Override
        public int getPositionIncrementGap(String field) {
            return TITLE_GAP;
        }
    };

    private static final BM25Similarity SIMILARITY = new BM25Similarity(0.9f, 0.4f);

    // ---- index ----

    private static final class Records {
        private final InputStream in = new BufferedInputStream(System.in, 1 << 20);
        private byte[] bytes = new byte[1 << 16];
        final String[] field = new String[3];

        /** The next record: id, title and text are in `field`. */
        boolean next() throws IOException {
            int len = 0, n = 0;
            for (int c; (c = in.read()) >= 0; ) {
                if (c == 0x1E || c == 0x1F && n < 2) {
                    field[n++] = new String(bytes, 0, len, StandardCharsets.UTF_8);
                    len = 0;
                    if (c == 0x1E && n < 3)
                        throw new IOException("a record is malformed");
                    if (c == 0x1E)
                        return true;
                } else {
                    if (len == bytes.length)
                        bytes = Arrays.copyOf(bytes, 2 * len);
                    bytes[len++] = (byte) c;
                }
            }
            if (len > 0 || n > 0)
                throw new IOException("the last record is cut off");
            return false;
        }
    }

    private static void index(Path path, boolean texts) throws IOException {
        if (Files.exists(path))
            throw new IOException(path + " exists already");
        long start = System.nanoTime(), added, documents = 0;
        IndexWriterConfig config = new IndexWriterConfig(ANALYZER).setSimilarity(SIMILARITY)
            .setRAMBufferSizeMB(512).setUseCompoundFile(false)
            .setMergeScheduler(new SerialMergeScheduler());
        try (Directory directory = new MMapDirectory(path);
                IndexWriter writer = new IndexWriter(directory, config)) {
            Records records = new Records();
            Field id = new StringField("id", "", Field.Store.YES);
            Field title = new TextField("body", "", Field.Store.NO);
            Field text = new TextField("body", "", Field.Store.NO);
            Field kept = new StoredField("title", ""), keptText = new StoredField("text", "");
            Document document = new Document();
            for (Field field : texts ? new Field[] {id, title, text, kept, keptText} : new Field[] {id, title, text})
                document.add(field);
            for (; records.next(); documents++) {
                id.setStringValue(records.field[0]);
                title.setStringValue(records.field[1]);
                text.setStringValue(records.field[2]);
                kept.setStringValue(records.field[1]);
                keptText.setStringValue(records.field[2]);
                writer.addDocument(document);
            }
            writer.commit();
            added = System.nanoTime();
            writer.forceMerge(1);
            writer.commit();
        }
        long merged = System.nanoTime();
        System.out.printf(Locale.ROOT, "documents %d seconds %.3f merge %.3f peak %d%n", documents,
            (merged - start) / 1e9, (merged - added) / 1e9, peakBytes());
    }

    /** The largest resident set so far, as Linux counts it. */
    private static long peakBytes() throws IOException {
        for (String line : Files.readAllLines(Paths.get("/proc/self/status")))
            if (line.startsWith("VmHWM:"))
                return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
        return 0;
    }

    // ---- serve ----

    /** Adds what a word or phrase asks for: several terms are a phrase, but separate words where nothing
        holds them together. */
    private static void clause(BooleanQuery.Builder to, String text, boolean phrase, BooleanClause.Occur occur)
            throws IOException {
        PhraseQuery.Builder together = new PhraseQuery.Builder();
        int n = 0, position = -1;
        Term last = null;
        try (TokenStream words = ANALYZER.tokenStream("body", text)) {
            CharTermAttribute term = words.addAttribute(CharTermAttribute.class);
            PositionIncrementAttribute step = words.addAttribute(PositionIncrementAttribute.class);
            words.reset();
            for (; words.incrementToken(); n++) {
                last = new Term("body", term.toString());
                position += step.getPositionIncrement();
                if (!phrase && occur == BooleanClause.Occur.SHOULD)
                    to.add(new TermQuery(last), occur);
                else
                    together.add(last, position);
            }
            words.end();
        }
        if (n > 0 && (phrase || occur != BooleanClause.Occur.SHOULD))
            to.add(n == 1 ? new TermQuery(last) : together.build(), occur);
    }

    private static Query parse(String text) throws IOException {
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        for (int at = 0; at < text.length(); ) {
            char c = text.charAt(at);
            if (c == ' ' || c == '\t') {
                at++;
                continue;
            }
            BooleanClause.Occur occur = c == '+' ? BooleanClause.Occur.MUST
                : c == '-' ? BooleanClause.Occur.MUST_NOT : BooleanClause.Occur.SHOULD;
            if (occur != BooleanClause.Occur.SHOULD)
                at++;
            int close = at < text.length() && text.charAt(at) == '"' ? text.indexOf('"', at + 1) : -1;
            int end = close;
            if (close < 0)
                for (end = at; end < text.length() && text.charAt(end) != ' ' && text.charAt(end) != '\t'; )
                    end++;
            clause(query, text.substring(close < 0 ? at : at + 1, end), close >= 0, occur);
            at = close < 0 ? end : end + 1;
        }
        BooleanQuery whole = query.build();
        return whole.clauses().size() == 1 && whole.clauses().get(0).getOccur() != BooleanClause.Occur.MUST_NOT
            ? whole.clauses().get(0).getQuery() : whole;
    }

    /** The k best. Without an exact count, documents that cannot be among them may be passed over. */
    private static TopDocs top(IndexSearcher searcher, Query query, int k, boolean count) throws IOException {
        int most = Math.max(1, Math.min(k, searcher.getIndexReader().maxDoc()));
        TopScoreDocCollector best = TopScoreDocCollector.create(most, count ? Integer.MAX_VALUE : 1);
        searcher.search(query, best);
        return best.topDocs();
    }

    private static String run(IndexSearcher searcher, TopDocs found) throws IOException {
        StringBuilder line = new StringBuilder().append(found.scoreDocs.length);
        for (ScoreDoc hit : found.scoreDocs) {
            String id = searcher.doc(hit.doc).get("id");
            for (int i = 0; i < id.length(); i++)
                if (id.charAt(i) < 0x20)
                    id = id.replace(id.charAt(i), ' ');
            line.append('\t').append(id).append('\t').append(hit.score);
        }
        return line.toString();
    }

    private static String answer(IndexSearcher searcher, String line) throws IOException {
        int tab = line.indexOf('\t');
        String command = tab < 0 ? "" : line.substring(0, tab), text = line.substring(tab + 1);
        if (command.equals("COUNT"))
            return Integer.toString(searcher.count(parse(text)));
        if (!command.matches("TOP_[0-9]{1,7}(_COUNT)?|RUN_[0-9]{1,7}"))
            return "UNSUPPORTED";
        int k = Integer.parseInt(command.split("_")[1]);
        if (k < 1 || k > K_MAX)
            return "UNSUPPORTED";
        boolean count = command.endsWith("_COUNT");
        TopDocs found = top(searcher, parse(text), k, count);
        if (command.startsWith("RUN_"))
            return run(searcher, found);
        return count ? Long.toString(found.totalHits.value) : "1";
    }

    private static void serve(Path path) throws IOException {
        BooleanQuery.setMaxClauseCount(1 << 20);
        try (Directory directory = new MMapDirectory(path);
                DirectoryReader reader = DirectoryReader.open(directory)) {
            IndexSearcher searcher = new IndexSearcher(reader);
            searcher.setSimilarity(SIMILARITY);
            searcher.setQueryCache(null);
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line; (line = in.readLine()) != null; ) {
                System.out.write((answer(searcher, line) + "\n").getBytes(StandardCharsets.UTF_8));
                System.out.flush();
            }
        }
    }

    public static void main(String[] args) {
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), false));
        try {
            boolean texts = args.length == 3 && args[2].equals("texts");
            if ((args.length == 2 || texts) && args[0].equals("index"))
                index(Paths.get(args[1]), texts);
            else if (args.length == 2 && args[0].equals("serve"))
                serve(Paths.get(args[1]));
            else if (args.length == 1 && args[0].equals("version"))
                System.out.println("Lucene " + Version.LATEST + " on Java " + System.getProperty("java.version"));
            else {
                System.err.println("usage: lucene index INDEX [texts] <records | lucene serve INDEX | lucene version");
                System.exit(2);
            }
            System.out.flush();
        } catch (Exception e) {
            System.err.println("lucene: " + e);
            System.exit(4);
        }
    }
}
