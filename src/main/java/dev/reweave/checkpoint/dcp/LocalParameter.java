package dev.reweave.checkpoint.dcp;

import java.util.List;

/**
 * A parameter as one rank of Megatron-Core has it: a tensor's slice of one layer.
 *
 * @param name of the tensor, for messages
 * @param parts where it is among the model's tensors, in the order of its elements
 * @param elements of all parts
 */
record LocalParameter(String name, List<Part> parts, long elements) {
  /**
   * A chunk of a tensor.
   *
   * @param tensor its index among the model's
   * @param chunk its index among the tensor's
   */
  record Part(int tensor, int chunk, long elements) {}
}
