"""Models trained on the spot with SentencePiece, and what it makes of strings."""
import io
import random

import corpus
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as protobuf

import vocabulary

FAMILIES = {
    "sp-bpe-identity": dict(model_type="bpe", normalization_rule_name="identity", byte_fallback=True,
                            remove_extra_whitespaces=False),
    "sp-bpe-nfkc": dict(model_type="bpe", normalization_rule_name="nmt_nfkc", byte_fallback=True),
    "sp-bpe-unknown": dict(model_type="bpe", normalization_rule_name="nfkc", character_coverage=0.98),
    "sp-bpe-no-prefix": dict(model_type="bpe", normalization_rule_name="identity", byte_fallback=True,
                             add_dummy_prefix=False, remove_extra_whitespaces=False, split_digits=True),
    "sp-unigram-identity": dict(model_type="unigram", normalization_rule_name="identity", byte_fallback=True,
                                remove_extra_whitespaces=False),
    "sp-unigram-nfkc": dict(model_type="unigram", normalization_rule_name="nmt_nfkc", character_coverage=0.98),
    "sp-unigram-folded": dict(model_type="unigram", normalization_rule_name="nmt_nfkc_cf", byte_fallback=True),
    "sp-unigram-no-prefix": dict(model_type="unigram", normalization_rule_name="nfkc", add_dummy_prefix=False,
                                 character_coverage=0.98),
    # Pieces that the rules would rewrite, that begin each other, and that stand next to spaces.
    "sp-unigram-user": dict(model_type="unigram", normalization_rule_name="nmt_nfkc", byte_fallback=True,
                            user_defined_symbols=[",", "<tool>", "ｆｗ", "½", "33", "333", "\u0301", "(n"]),
    "sp-unigram-user-spaces": dict(model_type="unigram", normalization_rule_name="nfkc", character_coverage=0.98,
                                   add_dummy_prefix=False, remove_extra_whitespaces=False,
                                   user_defined_symbols=[",", "(", ")", "\n", "\t", "①", "e"]),
}
# From the family's model one whose scores are this for each character: nearly every text has paths that are equal
# on paper, and with the last the sums leave the range in which SentencePiece adds them.
TIES = {"sp-unigram-ties": ("sp-unigram-user-spaces", -2.1716766), "sp-unigram-ties-far": ("sp-unigram-user", -3456.789)}


def train(name, r, lines=3000):
    """The model's protobuf."""
    out = io.BytesIO()
    text = [line.replace("\n", " ") for line in corpus.training_text(r, lines)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_writer=out, vocab_size=900, hard_vocab_limit=False, num_threads=1,
        minloglevel=2, **{"character_coverage": 0.995, **FAMILIES[name]})
    model = protobuf.ModelProto()
    model.ParseFromString(out.getvalue())
    return model


def with_ties(model, score):
    for piece in model.pieces:
        if piece.type == piece.NORMAL:
            piece.score = score * len(piece.piece)
    return model


def cases(model, strings):
    """The document, and a case for each string."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    found = []
    for s in strings:
        # To SentencePiece a string ends at its first zero byte, in places.
        s = s.replace("\0", "")
        ids = processor.encode(s)
        case = {"text": s, "plain": ids}
        decoded = processor.decode(ids)
        # An unknown token is printed as another text there.
        if processor.unk_id() not in ids and "\ufffd" not in decoded:
            case["decoded"] = decoded
        found.append(case)
    return vocabulary.of_sentencepiece(model), found


def families(seed, lines, only=None):
    for name in [*FAMILIES, *TIES]:
        if only and only not in name:
            continue
        r = random.Random(f"{seed} {name}")
        if name in FAMILIES:
            yield name, train(name, r, lines), r
        else:
            base, score = TIES[name]
            yield name, with_ties(train(base, r, lines), score), r
