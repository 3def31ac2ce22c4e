"""Text to train on and strings to compare: natural languages, code, and everything that breaks tokenizers."""
import random

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and I'd say it's what they've always done; we'll see, won't we?",
    "In 2024 the 1st of 1,234,567 visitors paid $3.50 (about 3,20 €) for 12.5% of 1000000 items at 09:30.",
    "Der schnelle braune Fuchs springt über den faulen Hund; Äpfel, Öl und Übermut. Straße, GRÜẞE, naïve façade.",
    "Le cœur a ses raisons que la raison ne connaît point. L'été dernier, j'ai vu l'œuvre d'Élodie à Nîmes.",
    "El niño comió piñas en el jardín. ¿Qué hora es? ¡Qué sorpresa! Mañana será otro día.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Нещо на Български. Ґанок, їжак, Її.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΌΛΟΣ Ο ΚΌΣΜΟΣ. Καλημέρα, τι κάνεις;",
    "我想在apple工作1314151天～。你好，世界！中文分词是一个有趣的问题。臺灣繁體字。",
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。カタカナとひらがなと漢字。",
    "안녕하세요 세계! 한국어 문장을 토큰으로 나눕니다. 나는 학교에 갑니다. 각각 값 닭",
    "مرحبا بالعالم! هذا نص عربي قصير. العَرَبِيَّة لُغَة جَمِيلَة ١٢٣٤٥",
    "שלום עולם! זהו משפט קצר בעברית. בְּרֵאשִׁית בָּרָא אֱלֹהִים",
    "नमस्ते दुनिया! यह हिन्दी का एक वाक्य है। क्षत्रिय ज्ञान १२३४",
    "สวัสดีชาวโลก นี่คือข้อความภาษาไทยที่ไม่มีช่องว่าง ๑๒๓",
    "កាន់តែពិសេសអាចខលចេញ ភាសាខ្មែរ",
    "Cửa Việt Nam, tiếng Việt có dấu: ắ ằ ẳ ẵ ặ ế ề ể ễ ệ ộ ơ ư.",
    "Dünya, İstanbul'da ıssız bir ışık. IĞDIR, iğne, ŞİŞLİ.",
    "🚀 (normal) 😶‍🌫️ (multiple emojis) ✅ 🦙🦙 👩‍👩‍👧‍👦 🇩🇪🇫🇷 👍🏽 ❤️ ♥ ☕️",
    "def f(x: int) -> str:\n    return f\"{x:04d}\"  # comment\n\n\nclass A(B):\n\tpass\n",
    "for (int i = 0; i < n; ++i) { a[i] += b[i] * 0x1F; /* !? */ } // ==== ---- ////\r\n\r\n",
    "<html><body class=\"x\">&amp; <b>bold</b></body></html> {\"key\": [1, 2.5e-3, null, true]}",
    "ﬁne ﬂow Ⅷ ½ ² ³ ¹ ㎏ ㍿ ① Å Å Å ﷺ ｆｕｌｌｗｉｄｔｈ ﾊﾝｶｸ ㌔ ℌ 𝔘𝔫𝔦 𝟘𝟙 Ǆ",
    "e\u0301 a\u0308\u0323 q\u0307\u0323 \u1e9b\u0323 \u0344 o\u0302\u0301 \u1100\u1161\u11a8 \uac00\u11a8 \u0958 \u2adc \u0f73",
    "====== ------ ****** ...... !!!!!! ?????? ``````\"\"\"''''''' ~~~ ___ ### @@@ 'S 'T 'RE 'VE 'M 'LL 'D 'ſ",
    "   leading,  double   triple    quad     spaces \t tabs\t\t and\u00a0nbsp\u3000ideographic\u2003em \u200bzero\u200d ",
    "\n\n \n\n\n \t\n \r\n\r \u0085 \u2028\u2029 x\n y \n",
    "3 33 333 3333 33333 333333 3333333 33333333 3.3 3..3 3...3 1e10 ٣٣٣٣ ３３３３ ⅣⅤ ½¼",
]
SPECIAL_TEXT = [
    "<s>", "</s>", "<unk>", "<pad>", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "<|im_start|>", "<|im_end|>", "<|eot|>",
    "<tool>", "<TOOL>", "tool", " <|im_end|> ", "<|im_start|>user\n", "<mask>", "word", "Added", "ｆｗ", "<0x41>", "<0xE4>",
    "\u2581", "##", "\u0120", "</w>",
]
RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x00, 0x20), (0xA0, 0x17F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF),
    (0x900, 0xDFF), (0xE00, 0xEFF), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x23FF),
    (0x2500, 0x27BF), (0x3000, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xACFF), (0xF900, 0xFAFF), (0xFB00, 0xFFFD),
    (0x10000, 0x10FFF), (0x11000, 0x11FFF), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x200FF), (0x0, 0x10FFFF),
]


# What joins to one character for the reader: marks, joiners, jamo, flags, conjuncts, pictures.
CLUSTERS = [
    "e", "a", "A", "\u00e9", "\u00a9", "\u00ae", "\r", "\n", "\u0001", "\u200d", "\u200c", "\u0301", "\u0323", "\u0308",
    "\u20e3", "\ufe0f", "\u0600", "\u0903", "\u0e33", "\u1100", "\u1161", "\u11a8", "\uac00", "\uac01", "\U0001f1e9",
    "\U0001f1ea", "\U0001f468", "\U0001f3fd", "\u0915", "\u094d", "\u0937", "\u0958", "\ufb01", "\uff21", "\u2460", "\u00bd",
    "\u0344", "\u1e9b", "\uff9e", "\u3099", "\u304b", " ", "\u00a0", "\u3000", "\u00ad", "\u2028", "\ufeff", "1",
]


def scalar(r):
    low, high = r.choice(RANGES)
    while True:
        c = r.randint(low, high)
        if not 0xD800 <= c < 0xE000:
            return chr(c)


def words(r):
    return [w for s in r.sample(SENTENCES, 3) for w in s.split(" ")]


def string(r):
    kind = r.random()
    if kind < 0.05:
        return "".join(r.choice(CLUSTERS) for _ in range(r.randint(1, 16)))
    if kind < 0.15:
        s = r.choice(SENTENCES)
        a, b = sorted((r.randint(0, len(s)), r.randint(0, len(s))))
        return s[a:b]
    if kind < 0.45:
        pool = words(r)
        return "".join(r.choice(pool) + r.choice(["", " ", " ", " ", "  ", "\n", "\t", "'s", "'LL", "1", "."]) for _ in range(r.randint(1, 12)))
    if kind < 0.6:
        return "".join(scalar(r) for _ in range(r.randint(0, 24)))
    if kind < 0.7:
        return "".join(r.choice([" ", " ", "\n", "\t", "\r\n", "a", "\u00a0", "\u3000", "1", "!"]) for _ in range(r.randint(0, 24)))
    if kind < 0.8:
        return "".join(r.choice("aab.=-'1 ") * r.randint(1, 9) for _ in range(r.randint(1, 8)))
    pool = words(r) + SPECIAL_TEXT * 3
    return "".join(r.choice(pool) + r.choice(["", "", " ", "  ", "\n", scalar(r)]) for _ in range(r.randint(1, 10)))


def training_text(r, lines=3000):
    out = []
    for _ in range(lines):
        out.append(" ".join(r.choice(words(r)) for _ in range(r.randint(3, 15))))
    return out + SENTENCES * 4
