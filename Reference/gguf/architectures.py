"""Tiny models of every family that GGUF import knows, with what llama.cpp's converter can express."""

VOCABULARY = 24
DECODER = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=8, max_position_embeddings=512, rms_norm_eps=1e-5, bos_token_id=1,
    eos_token_id=2, pad_token_id=0, tie_word_embeddings=True, initializer_range=0.2,
)


def rope(kind="default", theta=10000.0, **rest):
    return {"rope_type": kind, "rope_theta": theta, **rest}


def decoder(model, **config):
    return model, {key: value for key, value in {**DECODER, **config}.items() if value is not None}


LLAMA3 = rope(
    "llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
LONG_ROPE = rope(
    "longrope", short_factor=[1.0, 1.25, 1.5], long_factor=[4.0, 5.0, 6.5], partial_rotary_factor=0.75,
    original_max_position_embeddings=256)
GEMMA = dict(
    head_dim=12, hidden_activation="gelu_pytorch_tanh", sliding_window=24, query_pre_attn_scalar=12)
BERT = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=48, type_vocab_size=2, pad_token_id=0, hidden_act="gelu", initializer_range=0.2,
)

# name: (class of transformers, configuration, pooling of sentence-transformers or None)
MODELS = {
    "llama": decoder(
        "LlamaForCausalLM", rope_parameters=LLAMA3, max_position_embeddings=16384, num_key_value_heads=1),
    "llama-biases": decoder(
        "LlamaForCausalLM", attention_bias=True, mlp_bias=True, tie_word_embeddings=False,
        rope_parameters=rope("linear", factor=4.0)),
    # Parameters that are not those of Llama 3: only the list of divisors says what they are.
    "llama-divisors": decoder(
        "LlamaForCausalLM", rope_parameters={**LLAMA3, "original_max_position_embeddings": 64}),
    "mistral": decoder("MistralForCausalLM", sliding_window=None, rope_parameters=rope(theta=1000000.0)),
    "mixtral": decoder(
        "MixtralForCausalLM", num_local_experts=4, num_experts_per_tok=2, sliding_window=None,
        rope_parameters=rope(theta=1000000.0)),
    "qwen2": decoder("Qwen2ForCausalLM", head_dim=None, rope_parameters=rope(theta=1000000.0)),
    "qwen3": decoder("Qwen3ForCausalLM", rms_norm_eps=1e-6, rope_parameters=rope(theta=1000000.0)),
    "qwen3moe": decoder(
        "Qwen3MoeForCausalLM", num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, norm_topk_prob=True,
        mlp_only_layers=[], decoder_sparse_step=1, rope_parameters=rope(theta=1000000.0)),
    "smollm3": decoder(
        "SmolLM3ForCausalLM", num_hidden_layers=4, head_dim=None, rope_parameters=rope(theta=5000000.0)),
    "gemma2": decoder("Gemma2ForCausalLM", attn_logit_softcapping=50.0, final_logit_softcapping=30.0, **GEMMA),
    "gemma3": decoder(
        "Gemma3ForCausalLM", num_hidden_layers=7, num_key_value_heads=1,
        rope_parameters={
            "full_attention": rope("linear", 1000000.0, factor=8.0), "sliding_attention": rope(theta=10000.0)},
        **GEMMA),
    "phi3": decoder("Phi3ForCausalLM", head_dim=None, sliding_window=24, tie_word_embeddings=False),
    "phi3-longrope": decoder(
        "Phi3ForCausalLM", hidden_size=32, head_dim=None, max_position_embeddings=16384, sliding_window=None,
        original_max_position_embeddings=256, rope_parameters=LONG_ROPE),
    "bert-mean": ("BertModel", BERT),
    "bert-cls": ("BertModel", BERT),
}
POOLING = {"bert-mean": "mean", "bert-cls": "cls"}
