"""Models of a few hundred weights that have all that real ones have, each on request."""

import torch
from torch import nn


class Tiny(nn.Module):
    """Linear layers, a norm, an embedding and a head; sizes are odd, so that ranks share nothing evenly."""

    def __init__(self, tied=False, frozen=False, buffers=False, one=False, empty=False, unused=False,
                 even=False):
        super().__init__()
        words, width, inner = (16, 8, 16) if even else (13, 7, 5)
        self.words = words
        self.emb = nn.Embedding(words, width)
        self.layers = nn.ModuleList([nn.Linear(width, inner), nn.Linear(inner, width)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, words, bias=False)
        if tied:
            self.head.weight = self.emb.weight
        if frozen:
            self.layers[0].weight.requires_grad_(False)
            self.norm.bias.requires_grad_(False)
        if buffers:
            self.register_buffer("ints", torch.tensor([3, -2**40, 7]))
            self.register_buffer("mask", torch.tensor([True, False, True]))
            self.register_buffer("scale", torch.tensor([0.1, 1.7]))
            self.register_buffer("count", torch.tensor(12))
            self.register_buffer("scratch", torch.tensor([5.0]), persistent=False)
        if one:
            self.logit_scale = nn.Parameter(torch.tensor([2.6592]))
        if empty:
            # In a module that is never called: ZeRO-3 cannot fetch it.
            self.spare = nn.Linear(3, 0, bias=False)
        if unused:
            self.never = nn.Parameter(torch.randn(3, 3))

    def forward(self, ids):
        x = self.emb(ids)
        for layer in self.layers:
            x = torch.tanh(layer(x))
        x = self.norm(x)
        if hasattr(self, "scale"):
            x = x * self.scale[0]
        if hasattr(self, "logit_scale"):
            x = x * self.logit_scale.exp()
        return nn.functional.cross_entropy(self.head(x).float().flatten(0, 1), ids.flatten())


class Fused(nn.Module):
    """Queries, keys and values in one weight, and gate and up in another, as Phi-3 has them."""

    def __init__(self):
        super().__init__()
        self.words = 11
        self.emb = nn.Embedding(self.words, 16)
        self.qkv_proj = nn.Linear(16, 32)
        self.o_proj = nn.Linear(16, 16)
        self.gate_up_proj = nn.Linear(16, 48, bias=False)
        self.down_proj = nn.Linear(24, 16, bias=False)
        self.head = nn.Linear(16, self.words)

    def forward(self, ids):
        x = self.emb(ids)
        fused = self.qkv_proj(x)
        q, kv = fused.split(fused.shape[-1] // 2, dim=-1)
        x = x + self.o_proj(q * kv)
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        x = x + self.down_proj(torch.tanh(gate) * up)
        return nn.functional.cross_entropy(self.head(x).float().flatten(0, 1), ids.flatten())


class Experts(nn.Module):
    """Two mixtures of experts, with a layer before and behind that all ranks have alike."""

    def __init__(self, experts, parallel):
        super().__init__()
        from deepspeed.moe.layer import MoE

        self.words = 11
        self.emb = nn.Embedding(self.words, 6)
        self.moes = nn.ModuleList(
            MoE(6, nn.Sequential(nn.Linear(6, 10), nn.GELU(), nn.Linear(10, 6)), experts, ep_size=parallel, k=1)
            for _ in range(2)
        )
        self.head = nn.Linear(6, self.words)

    def forward(self, ids):
        x = self.emb(ids)
        for moe in self.moes:
            y, _, _ = moe(x)
            x = x + y
        return nn.functional.cross_entropy(self.head(x).float().flatten(0, 1), ids.flatten())


# Sizes for tensor parallelism over two ranks: a Llama whose three key/value heads ranks cannot share
# evenly, a GPTBigCode whose one such head both hold, and other ways to fuse queries, keys and values.
LANGUAGE_MODELS = {
    "llama": dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=6,
                  num_key_value_heads=3, tie_word_embeddings=False),
    "qwen2": dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=4,
                  num_key_value_heads=2, tie_word_embeddings=False),
    "gpt_bigcode": dict(n_embd=16, n_head=2, n_layer=1, multi_query=True, resid_pdrop=0.0, embd_pdrop=0.0,
                        attn_pdrop=0.0),
    "gpt_neox": dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=4,
                     tie_word_embeddings=False),
    "codegen": dict(n_embd=32, n_head=4, n_layer=1, rotary_dim=4, tie_word_embeddings=False, resid_pdrop=0.0,
                    embd_pdrop=0.0, attn_pdrop=0.0),
    "opt": dict(hidden_size=16, ffn_dim=24, num_hidden_layers=1, num_attention_heads=4, word_embed_proj_dim=16,
                dropout=0.0),
    "gptj": dict(n_embd=16, n_head=4, n_layer=1, rotary_dim=4, tie_word_embeddings=False, resid_pdrop=0.0,
                 embd_pdrop=0.0, attn_pdrop=0.0),
}


def language_model(kind, **changes):
    """A model of transformers with random weights."""
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = dict(vocab_size=32, max_position_embeddings=32, bos_token_id=0, eos_token_id=0)
    config = AutoConfig.for_model(kind, **(sizes | LANGUAGE_MODELS[kind] | changes))
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


PIPE_WORDS = 13


class Words(nn.Module):
    """An embedding in front, and its weight once more behind, as a tied layer of a pipeline."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(PIPE_WORDS, 7) * 0.3)

    def forward(self, ids):
        return nn.functional.embedding(ids, self.weight)


class Head(nn.Linear):
    def __init__(self):
        super().__init__(7, PIPE_WORDS, bias=False)


def pipe(stages, tied=False):
    """A pipeline of ten layers, of which some have no weights."""
    from deepspeed.pipe import LayerSpec, PipelineModule, TiedLayerSpec

    def loss(out, ids):
        return nn.functional.cross_entropy(out.float().flatten(0, 1), ids.flatten())

    ends = [LayerSpec(Words), LayerSpec(Head)]
    if tied:
        ends = [TiedLayerSpec("words", Words),
                TiedLayerSpec("words", Words, forward_fn=lambda own, x: nn.functional.linear(x, own.weight))]
    inner = []
    for _ in range(3):
        inner += [LayerSpec(nn.Linear, 7, 7), LayerSpec(nn.LayerNorm, 7), torch.tanh]
    return PipelineModule([ends[0], *inner, ends[1]], num_stages=stages, loss_fn=loss, partition_method="uniform")
