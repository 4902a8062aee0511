/* The probe list. Fixed: a change would make every index there is look foreign. */
#include "index/text/probe.h"

const char *const qn_probe_words[] = {
    /* English, and what Porter and Porter 2 do differently */
    "running", "hopping", "hoping", "happily", "happiness", "relational", "conditional", "flies",
    "dying", "skies", "generously", "generation", "communism", "arsenal", "abilities", "formalize",
    "electricity", "hopefulness", "adjustment", "dependent", "replacement", "controlling", "rate",
    "bowdlerise", "succeed", "exceeding", "news", "inning", "gently", "only", "fluently", "don't",
    "dog's", "yesterday", "saying", "agreed", "plastered", "conflated", "troubled", "sized",
    /* German, Dutch, Yiddish */
    "häuser", "straßen", "freundlichkeit", "aufeinander", "verantwortungen", "kategorisch",
    "übergeben", "mögliche", "lichamelijkheid", "opgestaan", "huizen", "gebouwen", "gemakkelijk",
    "אַרבעטן", "געזאָגט", "מענטשן",
    /* Danish, Norwegian, Swedish */
    "undersøgelserne", "friheden", "mulighederne", "hverandre", "lærernes", "virksomhetene",
    "havnedistriktene", "oppmerksomhet", "människorna", "möjligheterna", "jaktkarlarne", "kärleken",
    /* French, Spanish, Portuguese, Italian, Catalan, Romanian */
    "continuellement", "majestueusement", "finissaient", "générations", "logiquement", "jouaient",
    "amitiés", "inquiétude", "yeux", "rapidamente", "comunicaciones", "haciéndolo", "cantábamos",
    "niños", "amabilidad", "comprárselo", "lindamente", "constituições", "fazê-lo", "amássemos",
    "razões", "irmãs", "abbandonata", "velocissimamente", "mangiandolo", "gentilezza", "pronunziò",
    "possibilità", "cantaríem", "ràpidament", "llibertats", "nosaltres", "abruptă", "copiilor",
    "frumoaselor", "cântătorilor", "naţionalitate",
    /* Finnish, Hungarian, Turkish, Basque, Lithuanian, Irish, Indonesian */
    "taloissammekin", "juoksentelisinkohan", "kirjoittamattomia", "edeltäjiään", "kaupungeissa",
    "házaimban", "megszentségteleníthetetlen", "barátságtalan", "gyerekekkel", "kertekből",
    "evlerimizden", "kitapları", "gözlükçülük", "yapabilecekmişsiniz", "doktoru", "etxeetako",
    "ikusgarriak", "mendietara", "hizkuntzak", "gyvenimuose", "žmonėmis", "gražiausias",
    "skaitydavome", "gcathaoireacha", "bhfuinneog", "leabharlann", "éireannaigh", "mempermainkan",
    "perjuangannya", "berkelanjutan", "makanan",
    /* Russian, Serbian in both scripts, Armenian, Greek */
    "вселенную", "вышедшим", "красивейшими", "государственность", "работавшая", "учителями",
    "влюблённость", "бегающий", "најлепшима", "књигама", "учитељице", "мешавине", "najlepšima",
    "ljubavlju", "razgovarali", "մարդկանց", "գեղեցկություն", "աշխատողների", "տներում", "ανθρώπων",
    "καθημερινότητα", "γράφοντας", "σπιτάκια", "ελληνικός", "μεγαλύτερος",
    /* Arabic, Hindi, Nepali, Tamil */
    "والمدرسون", "المكتبات", "فسيكتبونها", "كتابهم", "استخدام", "الأطفال", "لڑکوں", "लड़कियों",
    "किताबें", "जाऊँगी", "सुन्दरता", "मानिसहरूले", "घरहरुमा", "गर्नुभयो", "राम्रोसँग", "வீடுகளில்", "படிக்கிறார்கள்",
    "மரங்களுக்கு", "நண்பர்கள்",
    /* no stemmer: these come back as they are, unless one mangles other scripts */
    "日本", "北京", "한국", "ทย", "カナ", "ქართული", "አማርኛ", "тіл'дік", "1997", "x2", "a", NULL};
