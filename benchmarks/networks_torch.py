"""The losses of `networks.py` in PyTorch, written as its users would."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from networks import CLIP, DECAY, RATE, Gpt, Mlp


def gpt_loss(model: Gpt, params, x, y):
    d = model.width
    h = F.embedding(x, params["wte"]) + params["wpe"]

    def split(a):
        return a.view(model.batch, model.context, model.heads, -1).transpose(1, 2)

    for block in params["blocks"]:
        qkv = F.layer_norm(h, (d,), block["ln1"]) @ block["qkv"]
        q, k, v = map(split, qkv.split(d, -1))
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        o = o.transpose(1, 2).reshape(model.batch, model.context, d)
        h = h + o @ block["proj"]
        m = F.layer_norm(h, (d,), block["ln2"]) @ block["fc"] + block["fcb"]
        h = h + F.gelu(m, approximate="tanh") @ block["out"] + block["outb"]
    logits = F.layer_norm(h, (d,), params["lnf"]) @ params["wte"].T
    return F.cross_entropy(logits.view(-1, model.vocab), y.reshape(-1))


def mlp_loss(model: Mlp, params, x, y):
    *hidden, last = params
    for layer in hidden:
        x = F.relu(torch.addmm(layer["b"], x, layer["w"]))
    return F.cross_entropy(torch.addmm(last["b"], x, last["w"]), y)


LOSSES = {Gpt: gpt_loss, Mlp: mlp_loss}


def leaves_of(tree) -> list:
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in leaves_of(tree[key])]
    if isinstance(tree, list):
        return [leaf for part in tree for leaf in leaves_of(part)]
    return [tree]


def to_torch(tree):
    """Parameters as leaves that get gradients."""
    if isinstance(tree, dict):
        return {key: to_torch(part) for key, part in tree.items()}
    if isinstance(tree, list):
        return list(map(to_torch, tree))
    return torch.from_numpy(tree.copy()).requires_grad_()


class Training:
    """loss(x, y) of one step, eager or with the loss and its gradients compiled."""

    def __init__(self, model, compiled: bool):
        self.model, self.params = model, to_torch(model.init())
        self.loss_of = LOSSES[type(model)]
        if compiled:
            self.loss_of = torch.compile(self.loss_of)
        self.leaves = leaves_of(self.params)
        # All parameters in one pass over memory, which is its fastest.
        self.optimizer = torch.optim.AdamW(
            self.leaves, RATE, weight_decay=DECAY, fused=True
        )

    def step(self, x, y) -> float:
        # Classes are 64-bit integers; it takes no others.
        x, y = torch.from_numpy(x), torch.from_numpy(y).long()
        self.optimizer.zero_grad()
        loss = self.loss_of(self.model, self.params, x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.leaves, CLIP)
        self.optimizer.step()
        return float(loss.detach())
