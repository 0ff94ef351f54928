"""The family of mistakes of one sheet: every edit that can be made on it, and what each is called in words."""

from __future__ import annotations

from collections.abc import Iterator

from derive.problem import Problem
from derive.verification.edit import Edit, in_every_layer, one_of_a_kind
from derive.verification.mistakes import (
    activations,
    back_pass,
    biases,
    error,
    forward,
    forward_activations,
    loss,
    time,
    weights,
    whole,
)
from derive.verification.sheet import Sheet
from derive.verification.structure import Structure
from derive.verification.words import Words

SENTENCES: dict[str, str] = {
    "sign_of_error": "the sign of the error is turned: (t − a) where (a − t) belongs",
    "factor_two": "a factor 2 too much: that of the square, not cancelled by the ½",
    "factor_half": "a factor ½ too much",
    "error_value_as_delta": "the value of the error stands where its derivative belongs",
    "target_forgotten": "the target is forgotten in the derivative of the error",
    "activation_derivative_missing": "the derivative of the activation is missing",
    "activation_derivative_of_net_form": "the derivative's form in the output, a, was taken of the net input: z(1 − z)",
    "activation_derivative_at_output": "the derivative of the activation was taken at the output, not at the net input",
    "activation_derivative_twice": "the derivative of the activation is there twice",
    "activation_derivative_wrong_function": "the derivative is that of another activation",
    "activation_derivative_half_formed": "only part of the derivative of the activation is there",
    "weight_gradient_transposed": "the gradient of the weights is transposed",
    "weight_gradient_wrong_input": "the delta was multiplied by another value than the one that comes in",
    "weight_gradient_input_missing": "the incoming value is missing: the delta alone was taken for the gradient",
    "weight_gradient_times_weight": "the weight itself is a factor of its gradient",
    "back_pass_not_transposed": "the delta was passed back through the weights untransposed",
    "back_pass_updated_weights": "the delta was passed back through the weights already updated",
    "back_pass_path_missing": "a path from the unit to the outputs is missing",
    "back_pass_weight_missing": "the weights are missing where the delta is passed back",
    "back_pass_wrong_layer_weights": "the delta was passed back through the weights of another layer",
    "back_pass_activation_derivative_missing": "what was passed back was not multiplied by the activation's derivative",
    "back_pass_averaged": "the paths were averaged, not summed",
    "bias_gradient_not_summed": "the gradient of the bias is one term of its sum",
    "bias_gradient_averaged": "the gradient of the bias is a mean, not a sum",
    "bias_gradient_times_bias": "the bias itself is a factor of its gradient",
    "bias_gradient_zero": "the gradient of the bias was taken to be 0",
    "accumulated_twice": "the gradient is there twice, as if it had been added to an earlier one",
    "learning_rate_folded_in": "the learning rate is a factor of the gradient",
    "update_handed_over": "these are the changes of the parameters, −η times the gradient",
    "new_weights_handed_over": "these are the parameters after the update, not the gradients; as new weights they "
    "are right, and --as updated says that they are such",
    "biases_updated": "the biases were updated too, and the problem keeps them as they are",
    "biases_fixed": "the biases were kept as they are, and the problem updates them",
    "weights_transposed_forward": "the forward pass used the weights transposed",
    "biases_left_out_forward": "the forward pass left the bias out",
    "biases_swapped": "biases were mixed up",
    "inputs_swapped": "inputs were mixed up",
    "targets_swapped": "targets were mixed up",
    "loss_without_half": "the error lacks its ½",
    "loss_averaged": "the error was averaged over the outputs, not summed",
    "loss_summed": "the error was summed over the outputs, not averaged",
    "output_forgotten_in_loss": "an output is forgotten in the error",
    "wrong_activation_forward": "the forward pass used another activation",
    "examples_averaged_not_summed": "the error was averaged over the examples, not summed",
    "examples_summed_not_averaged": "the error was summed over the examples, not averaged",
    "last_example_only": "only the last example counted",
    "softmax_jacobian_diagonal_only": "of the Jacobian of softmax only the diagonal was taken",
    "softmax_and_cross_entropy_both_differentiated": "a − t is the delta already; softmax was differentiated once more",
    "relu_mask_missing": "the mask of relu is missing: the delta passes where the unit is off",
    "relu_mask_of_gradient": "relu's mask was taken from the sign of the gradient in place of the net input's",
    "weight_decay_missing": "the derivative of the penalty is missing",
    "time_step_missing": "a time step is missing from the way back through time",
    "layout_transposed": "the arrays are laid out the other way: rows and columns exchanged",
    "float32_rounding": "the numbers carry the rounding of float32",
}
"""What each mistake is, in words: one row each. The order is that of plausibility where several fit."""


def family(sheet: Sheet, problem: Problem) -> tuple[Edit, ...]:
    """Every mistake that can be made on a sheet, alone or in every layer, one of a kind."""
    structure = Structure(sheet.program)
    found = one_of_a_kind(in_every_layer(_single(structure, problem)))
    order = {mistake: place for place, mistake in enumerate(SENTENCES)}
    words = Words(sheet, structure, SENTENCES)
    return tuple(words.told(edit) for edit in sorted(found, key=lambda edit: order[edit.mistake]))


def _single(structure: Structure, problem: Problem) -> Iterator[Edit]:
    update = problem.update
    new = None if update is None else whole.new_value(update)
    yield from error.edits(structure)
    yield from activations.edits(structure)
    yield from weights.edits(structure)
    yield from back_pass.edits(structure, new)
    yield from biases.edits(structure)
    yield from time.edits(structure)
    yield from whole.edits(structure, update)
    yield from forward.edits(structure)
    yield from forward_activations.edits(structure)
    yield from loss.edits(structure, problem)
