"""What the page of a network says of its layers: sentences by layer type and by the stem of an array's name.

A layer type without a row, and a stem without a sentence, go by their summary and their meaning. A quantity
of plain equations that its comment calls by one of these names ("forget gate") gets the same sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Topic:
    """One layer type: what it is called, what it does, and what is said of each of its arrays on either way.

    On the way back "a" speaks of what the layer reads, every other stem of the array itself.
    ``axes``: by stem, what the axes after the examples count. Of a sequence the last position looks back at all
    the others: ``rows`` are the stems of which its whole row is worked out, ``last`` those of which one element of it is.
    """

    called: str
    introduction: str = ""
    forward: Mapping[str, str] = field(default_factory=dict)
    backward: Mapping[str, str] = field(default_factory=dict)
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    last: tuple[str, ...] = ()


IMAGE = ("channel", "row", "column")
HEADS = ("head", "position", "value")
NORMAL_FORWARD = {
    "m": "First comes the mean of the values that are normalized together.",
    "v": "The variance is the mean of the squared distances from that mean.",
    "n": "The mean is subtracted from each value, and the difference is divided by the standard deviation, the root of "
    "the variance. The small number under the root keeps the quotient finite where all values are equal.",
    "a": "The normalized values are multiplied by the scale γ and moved by the shift β, where the layer has them, and go "
    "on.",
}
NORMAL_BACKWARD = {
    "n": "Each value was multiplied by its scale γ, and so is what comes back.",
    "v": "The variance was used for every value that is normalized with it, so it collects a term from each of them.",
    "m": "The mean is subtracted from every value, and it stands in the variance too. The part through the variance "
    "is zero: the distances from a mean add up to 0.",
}

TOPICS: Mapping[str, Topic] = {
    "dense": Topic(
        "dense layer",
        "Every unit weighs all incoming values, adds its bias if it has one, and passes the sum, its net input, "
        "through the activation function.",
        {
            "z": "The net input is the weighted sum of what comes in.",
            "a": "The activation function makes the output of the unit out of its net input.",
        },
        {
            "z": "One factor is added to the chain: the derivative of the activation function, at the net input of this unit.",
        },
    ),
    "activation": Topic(
        "activation",
        "The activation function is applied to every value by itself. There is nothing to learn here.",
        {"a": "Every value goes through the activation function."},
        {"a": "What arrives here is multiplied, value by value, with the derivative of the activation function."},
    ),
    "conv2d": Topic(
        "convolution",
        "A filter is a small window of weights. It is laid on the image at every place in turn, what lies under it is "
        "multiplied weight by weight and summed, and the sums form the feature map. The same weights serve at every place.",
        {
            "z": "The filter is laid on one patch of the image, and the products are added up.",
            "a": "The activation function is applied at every place of the feature map.",
        },
        {
            "z": "The gradient by a net input is called its *delta*. Every place of the feature map has one of its own.",
            "W": "A weight of the filter was used at every place that the filter covered. Its gradient has one term for "
            "each: the delta of the place, times the value that lay under the weight there.",
            "b": "The bias was added at every place, so its gradient is the sum of the deltas of the whole feature map.",
        },
        {"W": ("filter", "channel", "row", "column"), "b": ("filter",), "z": IMAGE, "a": IMAGE},
    ),
    "max_pool2d": Topic(
        "max pooling",
        "The image is divided into windows, and of each only the largest value goes on.",
        {"a": ""},
        {"a": "What arrives at a window goes back to its winner alone, the largest value in it."},
        {"a": IMAGE},
    ),
    "avg_pool2d": Topic(
        "average pooling",
        "The image is divided into windows, and of each the mean goes on.",
        {"a": ""},
        {"a": "What arrives here is shared out equally among the values of the window."},
        {"a": IMAGE},
    ),
    "flatten": Topic(
        "flattening", "All values of an example are put into one row, in order. Nothing is computed.", {"a": ""}
    ),
    "embedding": Topic(
        "embedding",
        "An embedding is a table with a row for each word. A word is given as a whole number, counted from 0, and is "
        "replaced by its row of the table: word 0 by the first row, word 1 by the second.",
        {"a": ""},
        {
            "W": "Only the rows that were looked up have a gradient other than zero. A word that occurs twice has two terms."
        },
        {"a": ("position", "feature"), "W": ("word", "feature")},
    ),
    "rnn": Topic(
        "recurrent layer",
        "The layer reads a sequence step by step. Its hidden state sees the input of the step and the hidden state of "
        "the step before, always through the same weights.",
        {
            "z": "The net input adds up what the input of this step says and what the hidden state before it remembers.",
            "h": "The new hidden state is the activation function of the net input.",
        },
        {
            "h": "Where the next time step or a later layer reads the hidden state, it sends its part of the error back.",
            "z": "The derivative of the activation function stands once in every step that the error goes back.",
        },
    ),
    "lstm": Topic(
        "LSTM",
        "An LSTM keeps a cell state beside its hidden state. Gates, numbers between 0 and 1, decide at each time step "
        "what of the cell state stays, what is added to it, and what of it is shown.",
        {
            "i": "The input gate decides how much of the candidate enters the cell state.",
            "f": "The forget gate decides how much of the old cell state stays.",
            "g": "The candidate is what could be added to the cell state.",
            "o": "The output gate decides how much of the cell state is shown as the hidden state.",
            "c": "The cell state keeps the share of the old one that the forget gate lets through, and takes in the "
            "share of the candidate that the input gate lets in. Before the first step it is zero unless it is given, "
            "and then there is nothing to forget.",
            "h": "The hidden state is the cell state, squashed to between −1 and 1, times the output gate.",
        },
        {
            "h": "All the gates of the next time step, and whatever else reads the hidden state, send their parts of the "
            "error back.",
            "c": "The error comes to the cell state through the hidden state of its own step and, where there is a next "
            "step, from the cell state there, simply multiplied by the forget gate.",
            "o": "The output gate was multiplied with the squashed cell state, and that is its factor.",
            "f": "The forget gate was multiplied with the old cell state, and that is its factor.",
            "i": "The input gate was multiplied with the candidate, and that is its factor.",
            "g": "The candidate was multiplied with the input gate, and that is its factor.",
        },
    ),
    "gru": Topic(
        "GRU",
        "A GRU keeps one state. The reset gate decides what of the old state the candidate may see, and the update "
        "gate how the old state and the candidate are mixed.",
        {
            "r": "The reset gate decides how much of the old state the candidate sees.",
            "z": "The update gate sets the shares of the old state and of the candidate in the new state.",
            "n": "The candidate is what the new state could be.",
            "h": "The new state is a mixture of the candidate and the old state. The update gate is the share of the one, "
            "and what is left of 1 the share of the other. Before the first step the state is zero unless it is given.",
        },
        {
            "h": "Everything that reads the state sends a part of the error back: what comes after the layer, and in the "
            "next time step the gates, the candidate and the mixture itself.",
            "z": "The update gate mixes the old state and the candidate, and the difference between the two is its factor.",
            "n": "The factor of the candidate is its share in the mixture.",
            "r": "The factor of the reset gate is what it was multiplied with in the candidate.",
        },
    ),
    "self_attention": Topic(
        "self-attention",
        "Every position of the sequence asks the others a question. Query and key of two positions give a score, "
        "softmax turns the scores of a row into weights that add up to 1, and with these weights the values are mixed.",
        {
            "Q": "The query says what a position asks for.",
            "K": "The key says what a position offers.",
            "V": "The value is what a position hands on.",
            "S": "A score says how well a query and a key fit: their numbers are multiplied in pairs and added up.",
            "A": "Softmax turns the scores of a row into weights: positive, and together 1.",
            "O": "With these weights the values are mixed, each position by its own row.",
            "a": "What goes on is the mixture of the values that each position has made for itself, through the output "
            "weights where there are such.",
        },
        {
            "A": "The factor of an attention weight is the value that it was multiplied with.",
            "S": "Through softmax a score changes every weight of its row: one term for each of them.",
            "Q": "The error comes to a query through the scores of its row, each times the key that it was compared with.",
            "K": "The error comes to a key through the scores of its column, each times the query that it was compared with.",
            "V": "The values are reached by the mixture alone. Every position that looked at a value sends a part of "
            "the error to it, as large as its attention weight.",
            "O": "The error comes to the mixture through the output weights, where there are such.",
        },
        dict.fromkeys("QKV", HEADS)
        | {"S": ("head", "query", "key"), "A": ("head", "query", "key"), "a": HEADS[1:], "O": HEADS[1:]},
        rows=("S",),
        last=("Q", "A", "O", "a"),
    ),
    "layer_norm": Topic(
        "layer normalization",
        "The values of each row are brought to mean 0 and variance 1, every row for itself.",
        NORMAL_FORWARD,
        NORMAL_BACKWARD,
    ),
    "batch_norm": Topic(
        "batch normalization",
        "Each feature is brought to mean 0 and variance 1 over the examples of the batch. The examples are no longer "
        "independent of each other.",
        NORMAL_FORWARD,
        NORMAL_BACKWARD,
    ),
    "dropout": Topic(
        "dropout",
        "Some values are set to 0, as the mask says, and the others are made larger to make up for it.",
        {"a": "Where the mask has a 0 the value is dropped."},
        {"a": "What was dropped sends nothing back; the others get back what arrives, times the same factor."},
    ),
    "residual": Topic(
        "residual connection",
        "What came out of an earlier layer is added, place by place. The layers between only have to learn the difference.",
        {"a": ""},
        {"a": "A sum hands the error on unchanged to both of its terms."},
    ),
    "highway": Topic(
        "highway connection",
        "A gate decides, value by value, how much of the layer's own answer goes on and how much of what came in is "
        "carried past.",
        {
            "H": "The layer's own answer is an ordinary dense layer.",
            "T": "The transform gate lies between 0 and 1.",
            "a": "The gate mixes the layer's own answer with what came in.",
        },
        {
            "T": "The gate mixes the two, and the difference between them is its factor.",
            "H": "The factor of the layer's own answer is its share in the mixture.",
        },
    ),
}

OPERATIONS: Mapping[str, tuple[str, str]] = {
    "softmax": (
        "Softmax: each is *e* to its score, over the sum of them all, so that the results are positive and add up to 1.",
        "Through softmax a score changes every result of its row: one term for each of them.",
    ),
    "log_softmax": (
        "The logarithm of softmax: each score, less the logarithm of the sum of all the exponentials.",
        "Every score stands in the sum that all the results share: one term for each of them.",
    ),
    "convolution": (TOPICS["conv2d"].forward["z"], "A value counts at every place where the filter covers it."),
    "product": (
        "Each result is a sum of products.",
        "Each factor of a product gets back what arrives, times the other factor.",
    ),
    "pooling": (
        "Only the largest value of each window goes on.",
        "The winner of a window gets all that comes back, the others nothing.",
    ),
    "rearranged": (
        "The same numbers are put into another shape. Nothing is computed.",
        "Putting numbers into another shape changes none of them: the gradient goes back to the place it came from.",
    ),
    "copied": (
        "The activation function is the identity: what comes in goes on as it is.",
        "Nothing was changed here, and the gradient goes through as it is.",
    ),
    "weighted": (
        "Each result is a sum of products, and a number of its own is added.",
        "Each factor of a product gets back what arrives, times the other factor; what is only added gets it as it is.",
    ),
    "selected": (
        "Some of the numbers are chosen. Nothing is computed.",
        "What was not chosen gets nothing back.",
    ),
    "joined": (
        "The results are put together into one array.",
        "Each part gets back what arrived at its place.",
    ),
}
"""What is said of an equation of a kind where there is no topic: on the way forward, and on the way back."""

BY_WORDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "cell state": (
        "lstm",
        {
            "input gate": "i",
            "forget gate": "f",
            "output gate": "o",
            "candidate": "g",
            "cell state": "c",
            "hidden state": "h",
        },
    ),
    "update gate": ("gru", {"reset gate": "r", "update gate": "z", "candidate": "n", "hidden state": "h"}),
    "hidden state": ("rnn", {"hidden state": "h"}),
}
"""Words by which comments in plain equations call quantities that have a topic: by the word that tells which topic it is."""
