"""What model.md says of each architecture: the members of its configuration and its tensors."""

from dataclasses import dataclass, fields

from .canonical import Rejection

DECODERS = ("gemma2", "gemma3", "llama", "mistral", "mixtral", "phi3", "qwen2", "qwen3", "qwen3moe", "smollm3")
ENCODERS = ("bert",)
ARCHITECTURES = tuple(sorted(DECODERS + ENCODERS))
HEAD_NORMS = ("gemma3", "qwen3", "qwen3moe")
POST_NORMS = ("gemma2", "gemma3")
LINEAR_KINDS = ("linear16", "linear4", "linear4m", "linear8")
ATTENTION_PROJECTIONS = ("k_proj", "o_proj", "q_proj", "v_proj")
PROJECTIONS = tuple(sorted(ATTENTION_PROJECTIONS + ("down_proj", "gate_proj", "up_proj")))


@dataclass(frozen=True)
class Config:
    """The members of `config`; an optional one is None where the manifest does not have it."""

    hiddenSize: int
    layers: int
    heads: int
    keyValueHeads: int
    headDimension: int
    intermediateSize: int
    vocabularySize: int
    contextLength: int
    residualFractionBits: int
    normEpsilon: int
    tiedEmbeddings: bool
    activation: str | None = None
    attentionSoftcap: int | None = None
    biases: list | None = None
    embeddingScale: int | None = None
    experts: int | None = None
    expertsPerToken: int | None = None
    expertSharesOfAll: bool | None = None
    headNormEpsilon: int | None = None
    localLayers: list | None = None
    logitsSoftcap: int | None = None
    normalised: bool | None = None
    pooling: str | None = None
    ropelessLayers: list | None = None
    window: int | None = None

    def members(self):
        """As in the manifest."""
        return {name: value for name, value in vars(self).items() if value is not None}


REQUIRED = tuple(field.name for field in fields(Config))[:11]
# Bounds of arithmetic.md, section 9.
RANGES = {
    "hiddenSize": (1, 16384),
    "layers": (1, 4096),
    "heads": (1, 1024),
    "keyValueHeads": (1, 1024),
    "headDimension": (2, 256),
    "intermediateSize": (1, 65535),
    "vocabularySize": (1, 2**20),
    "contextLength": (1, 2**20),
    "residualFractionBits": (8, 30),
    "normEpsilon": (1, 2**53 - 1),
    "attentionSoftcap": (2**12, 2**29 - 1),
    "embeddingScale": (1, 2**22 - 1),
    "experts": (1, 1024),
    "expertsPerToken": (1, 64),
    "headNormEpsilon": (1, 2**53 - 1),
    "logitsSoftcap": (2**12, 2**29 - 1),
    "window": (1, 2**20),
}
CHOICES = {
    "activation": ("gelu", "geluTanh"),
    "pooling": ("cls", "last", "mean"),
    "expertSharesOfAll": (True,),
    "normalised": (True,),
}


def allowed_members(architecture):
    """(optional members that must be there, optional members that may be there)."""
    if architecture in ENCODERS:
        return {"pooling"}, {"normalised", "activation", "biases"}
    required, allowed = set(), {"biases", "window", "localLayers", "activation"}
    if architecture in HEAD_NORMS:
        required.add("headNormEpsilon")
    if architecture in ("qwen3moe", "mixtral"):
        required |= {"experts", "expertsPerToken"}
        allowed.add("expertSharesOfAll")
    if architecture == "smollm3":
        allowed.add("ropelessLayers")
    if architecture in ("gemma2", "gemma3"):
        allowed |= {"embeddingScale", "attentionSoftcap", "logitsSoftcap"}
    return required, allowed


def require(condition, message):
    if not condition:
        raise Rejection(f"manifest: {message}")


def integer(value, where, low, high):
    require(isinstance(value, int) and not isinstance(value, bool), f"{where} is not an integer")
    require(low <= value <= high, f"{where} = {value} is not in {low}…{high}")
    return value


def checked_config(architecture, value):
    """The configuration, or `Rejection`."""
    require(isinstance(value, dict), "config is not an object")
    required, allowed = allowed_members(architecture)
    required = set(REQUIRED) | required
    require(required <= set(value) <= required | allowed, f"config has the members {sorted(value)}")
    for name, (low, high) in RANGES.items():
        if name in value:
            integer(value[name], name, low, high)
    for name, choices in CHOICES.items():
        require(name not in value or any(value[name] is choice or (isinstance(choice, str) and value[name] == choice)
                                         for choice in choices), f"{name} is not one of {choices}")
    require(isinstance(value["tiedEmbeddings"], bool), "tiedEmbeddings is not a boolean")
    config = Config(**value)
    _check_lists(architecture, config)
    _check_sizes(architecture, config)
    return config


def _check_lists(architecture, config):
    for name in ("localLayers", "ropelessLayers"):
        layers = getattr(config, name)
        if layers is not None:
            _ascending(name, layers, int)
            require(layers[-1] < config.layers and layers[0] >= 0, f"{name} names a layer that is not there")
    if config.biases is not None:
        _ascending("biases", config.biases, str)
        possible = set(ATTENTION_PROJECTIONS if config.experts else PROJECTIONS)
        possible -= {"gate_proj"} if architecture in ENCODERS else set()
        require(set(config.biases) <= possible, f"biases names more than {sorted(possible)}")


def _ascending(name, values, kind):
    require(isinstance(values, list) and values, f"{name} is not an array with something in it")
    require(all(type(value) is kind for value in values), f"{name} has an element of another kind")
    require(values == sorted(set(values)), f"{name} is not sorted")


def _check_sizes(architecture, config):
    require(config.headDimension % 2 == 0, "headDimension is odd")
    require(config.heads % config.keyValueHeads == 0, "heads is not a multiple of keyValueHeads")
    require(config.heads * config.headDimension <= 65535, "heads · headDimension is above 65535")
    require((config.window is None) == (config.localLayers is None), "window and localLayers go together")
    require(config.embeddingScale != 2**14, "embeddingScale is 1")
    if config.experts is not None:
        require(config.expertsPerToken <= config.experts, "expertsPerToken is above experts")
        require(config.expertsPerToken * config.intermediateSize <= 65535, "expertsPerToken · intermediateSize")
    if architecture in ENCODERS:
        require(not config.tiedEmbeddings, "an encoder has no head to tie")
        require(config.contextLength <= 2**13, "an encoder's context is above 8192")


def tensor_shapes(architecture, config):
    """Name → (kinds, shape) of every tensor that the architecture requires."""
    d, v = config.hiddenSize, config.vocabularySize
    gain, table = ("gain",), ("table16",)
    if architecture in ENCODERS:
        shapes = {"embed_tokens": (table, [v, d]), "embed_positions": (table, [config.contextLength, d])}
        _layer_norm(shapes, "embed_norm", d)
    else:
        shapes = {"lm_head": (LINEAR_KINDS, [v, d]), "norm": (gain, [d])}
        if not config.tiedEmbeddings:
            shapes["embed_tokens"] = (table, [v, d])
    for n in range(config.layers):
        prefix = f"layers.{n}."
        for name, shape in projections(architecture, config).items():
            shapes[prefix + name] = (LINEAR_KINDS, shape)
            if name in (config.biases or ()):
                shapes[f"{prefix}{name}.bias"] = (("bias",), shape[:1])
        if config.experts is not None:
            shapes[prefix + "router"] = (("linear8",), [config.experts, d])
        if architecture in ENCODERS:
            _layer_norm(shapes, prefix + "attn_norm", d)
            _layer_norm(shapes, prefix + "mlp_norm", d)
            continue
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[prefix + name] = (gain, [d])
        for name in ("post_attention_norm", "post_feedforward_norm") if architecture in POST_NORMS else ():
            shapes[prefix + name] = (gain, [d])
        for name in ("q_norm", "k_norm") if architecture in HEAD_NORMS else ():
            shapes[prefix + name] = (gain, [config.headDimension])
    return shapes


def _layer_norm(shapes, name, d):
    shapes[name] = (("gain",), [d])
    shapes[name + ".bias"] = (("bias",), [d])


def projections(architecture, config):
    """Name within a layer → shape of every linear weight that may have 4 bits."""
    d, i = config.hiddenSize, config.intermediateSize
    q, kv = config.heads * config.headDimension, config.keyValueHeads * config.headDimension
    shapes = {"q_proj": [q, d], "k_proj": [kv, d], "v_proj": [kv, d], "o_proj": [d, q]}
    if config.experts is not None:
        e = config.experts
        shapes |= {"experts.gate_proj": [e * i, d], "experts.up_proj": [e * i, d], "experts.down_proj": [e * d, i]}
    else:
        gate = {} if architecture in ENCODERS else {"gate_proj": [i, d]}
        shapes |= {**gate, "up_proj": [i, d], "down_proj": [d, i]}
    return shapes
