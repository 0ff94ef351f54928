"""Every layer type by name."""

from __future__ import annotations

from derive.layers.attention import EMBEDDING, SELF_ATTENTION
from derive.layers.dense import ACTIVATION, DENSE, HIGHWAY, RESIDUAL
from derive.layers.frame import LayerType
from derive.layers.images import AVG_POOL2D, CONV2D, FLATTEN, MAX_POOL2D
from derive.layers.normalization import BATCH_NORM, DROPOUT, LAYER_NORM
from derive.layers.recurrent import GRU, LSTM, RNN

LAYERS: dict[str, LayerType] = {
    row.name: row
    for row in (
        DENSE,
        ACTIVATION,
        CONV2D,
        MAX_POOL2D,
        AVG_POOL2D,
        FLATTEN,
        EMBEDDING,
        RNN,
        LSTM,
        GRU,
        SELF_ATTENTION,
        LAYER_NORM,
        BATCH_NORM,
        DROPOUT,
        RESIDUAL,
        HIGHWAY,
    )
}
